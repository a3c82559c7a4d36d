import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  CommandError,
  fillPlaceholders,
  fillWord,
  findShellPlaceholder,
  joinCommand,
  onlyPlaceholder,
  parameterVariable,
  placeholdersIn,
  splitCommand,
} from "../../src/schemas/command.ts";

const WORDS: [text: string, words: string[]][] = [
  ["sh run.sh", ["sh", "run.sh"]],
  ["  a \t b\n c  ", ["a", "b", "c"]],
  ["echo 'a b' \"c d\"", ["echo", "a b", "c d"]],
  ["a''b", ["ab"]],
  ["a '' \"\"", ["a", "", ""]],
  ["x'y z'w", ["xy zw"]],
  ["a\\ b", ["a b"]],
  ["a\\\nb", ["ab"]],
  ["a\\\n b", ["a", "b"]],
  ["a \\\n", ["a"]],
  ["a\\\n\\\nb", ["ab"]],
  ["'a\\b'", ["a\\b"]],
  ['"a\\b"', ["a\\b"]],
  ['"a\\"b"', ['a"b']],
  ['"a\\\\b"', ["a\\b"]],
  ['"\\$x \\`y\\`"', ["$x `y`"]],
  ['"a\\\nb"', ["ab"]],
  ["'a\nb'", ["a\nb"]],
  ['"it\'s"', ["it's"]],
  ["'say \"hi\"'", ['say "hi"']],
  ["a;b | c && d > e * ~ $x #y", ["a;b", "|", "c", "&&", "d", ">", "e", "*", "~", "$x", "#y"]],
  ["run {{ day }}", ["run", "{{ day }}"]],
  ["run --day={{ parameters.day }}.csv x", ["run", "--day={{ parameters.day }}.csv", "x"]],
  ["run '{{ day }}'", ["run", "{{ day }}"]],
  ["docker ps --format '{{.Names}}'", ["docker", "ps", "--format", "{{.Names}}"]],
  ["a {{ not closed", ["a", "{{", "not", "closed"]],
  ["grüße 日本 🎉", ["grüße", "日本", "🎉"]],
];

Deno.test("splitCommand() splits by the quoting rules of POSIX", () => {
  for (const [text, words] of WORDS) assertEquals(splitCommand(text), words, JSON.stringify(text));
});

Deno.test("splitCommand() refuses open quotes, a lone backslash and emptiness, and says where", () => {
  const cases = [
    ["echo 'a", "' at character 6"],
    ['echo "a', '" at character 6'],
    ['x "a\\"', '" at character 3'],
    ["a\\", "lone \\"],
    ["", "empty"],
    [" \n\t", "empty"],
    ["\\\n", "empty"],
  ] as const;
  for (const [text, expected] of cases) {
    assertStringIncludes(assertThrows(() => splitCommand(text), CommandError).message, expected);
  }
});

Deno.test("splitCommand() reads back what joinCommand() wrote, whatever the words are", () => {
  const word = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("'", "\\", '"', "{{ a }}", "\n", ""),
  );
  fc.assert(fc.property(fc.array(word, { minLength: 1 }), (words) => {
    assertEquals(splitCommand(joinCommand(words)), words);
  }));
});

Deno.test("splitCommand() agrees with a real shell", async () => {
  // Without what a shell would expand, and without the bare newline that would end its word list.
  const plain = WORDS.map(([text]) => text).filter((text) => !/[;|&>*~#{$]|^ /.test(text));
  for (const text of plain) {
    const script = `for word in ${text}\ndo printf '%s\\0' "$word"\ndone`;
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
    assertEquals(splitCommand(text), new TextDecoder().decode(stdout).split("\0").slice(0, -1), text);
  }
});

const values: Record<string, unknown> = {
  day: "2026-11-23",
  n: 5,
  on: true,
  nothing: null,
  list: [1, "a"],
  object: { a: 1 },
  "parameters.day": "p",
  nested: "{{ day }}",
  dollar: "$& $1",
};
const lookup = (name: string) => values[name];

Deno.test("fillPlaceholders() keeps the type of a value that is exactly one placeholder", () => {
  assertEquals(
    fillPlaceholders({ a: "{{ n }}", b: "{{on}}", c: " {{ list }} ", d: "{{ nothing }}", e: 7 }, lookup),
    { a: 5, b: true, c: [1, "a"], d: null, e: 7 },
  );
});

Deno.test("fillPlaceholders() drops keys and items without a value", () => {
  assertEquals(
    fillPlaceholders({ a: "{{ gone }}", b: { c: "{{ gone }}" }, d: ["{{ gone }}", "x"] }, lookup),
    {
      b: {},
      d: ["x"],
    },
  );
  assertEquals(fillPlaceholders("{{ gone }}", lookup), undefined);
});

Deno.test("fillPlaceholders() prints values inside text, and never searches what it put in", () => {
  const cases = [
    ["at {{ day }}!", "at 2026-11-23!"],
    ["{{ n }}/{{ on }}", "5/true"],
    ["x{{ list }}{{ object }}", 'x[1,"a"]{"a":1}'],
    ["x{{ gone }}y", "xy"],
    ["x {{ nested }}", "x {{ day }}"],
    ["x {{ dollar }}", "x $& $1"],
    ["{{ parameters.day }}-", "p-"],
    ["{{.Names}} {{ a b }}", "{{.Names}} {{ a b }}"],
  ] as const;
  for (const [template, expected] of cases) {
    assertEquals(fillPlaceholders(template, lookup), expected, template);
  }
});

Deno.test("fillWord() names a placeholder that has no value", () => {
  assertEquals(fillWord("--day={{ day }}", lookup), "--day=2026-11-23");
  assertStringIncludes(assertThrows(() => fillWord("{{ dya }}", lookup), CommandError).message, "{{ dya }}");
});

Deno.test("findShellPlaceholder() finds what a shell would run as code", () => {
  const refused = [
    "sh -c 'echo {{ day }}'",
    "/bin/sh -c 'echo {{ day }}'",
    "bash -lc 'echo {{ day }}'",
    "bash -l -c 'echo {{ day }}'",
    "bash -c -e 'echo {{ day }}'",
    "bash -o pipefail -c 'echo {{ day }}'",
    "bash -eo pipefail -c 'echo {{ day }}'",
    "bash --login -c 'echo {{ day }}'",
    "dash -ec 'echo {{ day }}'",
    "zsh -c {{ day }}",
    "sh -c -- 'echo {{ day }}'",
    "env A=1 nice -n 5 sh -c 'echo {{ day }}'",
    "sh -c 'echo \"{{ parameters.day }}\"'",
  ];
  for (const command of refused) {
    assertStringIncludes(findShellPlaceholder(command)?.message ?? "nothing", '"$SLUICE_PARAM_day"', command);
  }
  const allowed = [
    "sh report.sh {{ day }}",
    "sh -e report.sh {{ day }}",
    "sh -c 'echo \"$1\"' sh {{ day }}",
    "sh -c 'echo $SLUICE_PARAM_day'",
    "python -c 'print(1)' {{ day }}",
    "bash --norc {{ day }}",
  ];
  for (const command of allowed) assertEquals(findShellPlaceholder(command), undefined, command);
});

Deno.test("findShellPlaceholder() sees a shell whose name comes from a placeholder", () => {
  const words = splitCommand("{{ shell }} -c 'echo {{ day }}'");
  assertEquals(findShellPlaceholder(words), undefined);
  assertEquals(findShellPlaceholder(words, ["bash", "-c", "echo x"])?.name, "day");
});

Deno.test("placeholdersIn() and onlyPlaceholder() read names", () => {
  assertEquals(placeholdersIn("{{ a }} {{b.c-d}} {{ a }} {{ 1x }}"), ["a", "b.c-d"]);
  assertEquals([onlyPlaceholder("{{ a }}"), onlyPlaceholder("{{ a }}x"), onlyPlaceholder("{{ a }}{{ b }}")], [
    "a",
    undefined,
    undefined,
  ]);
});

Deno.test("parameterVariable() makes a name that every shell can read", () => {
  assertEquals(parameterVariable("day-of.week ü"), "SLUICE_PARAM_day_of_week__");
});
