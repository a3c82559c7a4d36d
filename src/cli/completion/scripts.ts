/** The scripts by which shells ask `sluice complete` what may follow. All of them leave file names to the shell. */
import type { Shell } from "../registry/program.ts";

const BASH = `# bash completion for sluice. Put it into your shell:
#     source <(sluice completions bash)
_sluice() {
  local line cur words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r line; do
    line=\${line%%$'\\t'*}
    [[ $line == "$cur"* ]] && COMPREPLY+=("$(printf %q "$line")")
  done < <("\${COMP_WORDS[0]}" complete -- "\${words[@]}" 2>/dev/null)
}
complete -o default -o bashdefault -F _sluice sluice`;

const ZSH = `#compdef sluice
# zsh completion for sluice. Put it into your shell:
#     source <(sluice completions zsh)
_sluice() {
  local line
  local -a found
  while IFS= read -r line; do
    if [[ $line == *$'\\t'* ]]; then
      found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      found+=("\${line//:/\\\\:}")
    fi
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then
    _describe sluice found
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _sluice ]]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi`;

const FISH = `# fish completion for sluice. Put it into its place:
#     sluice completions fish > ~/.config/fish/completions/sluice.fish
function __sluice_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (sluice complete -- $words[2..-1] 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c sluice -f -a '(__sluice_complete)'`;

const POWERSHELL = `# PowerShell completion for sluice. Put it into your profile:
#     sluice completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName sluice -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($wordToComplete -eq '') { $words += '""' }
    sluice complete -- @words 2>$null | ForEach-Object {
        $text, $summary = $_ -split "\`t", 2
        if (-not $summary) { $summary = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $summary)
    }
}`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

/** The script for a shell, without a line break at its end. */
export const completionScript = (shell: Shell): string => SCRIPTS[shell];
