/**
 * The shell program that stands between the agent and a run: output and exit code become files, so that they survive
 * an agent that dies, and a later one that is not the parent can still learn them.
 *
 * Arguments: output file, process file, exit code file, then the command's words. It leads the run's process group.
 *
 * - `trap :` catches what is sent to the group without ignoring it, so the command keeps the default actions and the
 *   wrapper lives on to write the code (143 after SIGTERM).
 * - `exec` in a subshell runs a program even when the word is also a shell builtin (`exit`, `cd`).
 * - The shell's own remarks (`Terminated`) go nowhere; what `exec` says (`not found`) goes to the output.
 * - The process file gets the kernel's line about the wrapper where there is one (it holds the start time, which
 *   tells a process from a later one with the same id), else the bare process id.
 * - The code is renamed into place: whoever finds the file finds a whole number in it.
 */
export const WRAPPER = `
out=$1 process=$2 code=$3
shift 3
trap : HUP INT TERM
line=$$
[ -r /proc/$$/stat ] && read -r line </proc/$$/stat
echo "$line" >"$process"
(exec "$@" >>"$out" 2>&1 </dev/null)
status=$?
echo $status >"$code.part" && mv "$code.part" "$code"
exit $status
`;
