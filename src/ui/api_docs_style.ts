export const API_DOCS_STYLE_PATH = "/docs/style.css";

/** The page's only style sheet: system fonts, both colour schemes, no image. */
export const API_DOCS_STYLE = `
:root {
  color-scheme: light dark;
  --back: #fff; --raised: #f6f7f9; --line: #d9dee5; --text: #1d2530; --soft: #5b6675; --link: #0a58b5;
  --get: #14683f; --post: #0a58b5; --patch: #8a5200; --delete: #b0202c; --put: #6b3fa0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12161c; --raised: #1a2028; --line: #313a46; --text: #dfe5ec; --soft: #9aa6b5; --link: #7ab7ff;
    --get: #5fce95; --post: #7ab7ff; --patch: #f0b35a; --delete: #ff8d92; --put: #c5a3f5;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0; display: grid; grid-template-columns: 19rem minmax(0, 1fr);
  background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
}
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; }
h1 small { color: var(--soft); font-size: 1rem; font-weight: normal; }
h2 a, h3 a { color: inherit; }
code, pre { font: 0.875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem 1rem;
  border-right: 1px solid var(--line); background: var(--raised); font-size: 0.9rem;
}
nav h2 { font-size: 1.1rem; margin-bottom: 0.75rem; }
nav summary { cursor: pointer; padding: 0.25rem 0; font-weight: 600; }
nav ul { list-style: none; margin: 0 0 0.5rem; padding: 0 0 0 0.9rem; }
nav li a { display: flex; justify-content: space-between; gap: 0.5rem; padding: 0.15rem 0; color: var(--text); }
nav .method { font-size: 0.65rem; align-self: center; }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem) 6rem; max-width: 68rem; }
main > h2 { margin: 3.5rem 0 1rem; font-size: 1.6rem; }
header p { max-width: 46rem; }
section { border: 1px solid var(--line); border-radius: 0.5rem; padding: 1rem 1.25rem; margin-bottom: 1.25rem; }
section:target { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
h3 { font-size: 1.15rem; }
h4 { font-size: 0.9rem; margin: 1.1rem 0 0.35rem; color: var(--soft); font-weight: 600; }
h4 i { font-weight: normal; }
.call { margin: 0.35rem 0 0; overflow-wrap: anywhere; }
.method { font: 700 0.8rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); }
.put { color: var(--put); } .delete { color: var(--delete); }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; border-top: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: normal; border-top: 0; }
tbody th { font-weight: normal; overflow-wrap: anywhere; }
.fields th:first-child { width: 40%; } .fields th:last-child { width: 15%; }
.answers th { width: 3.5rem; } .answers td:first-of-type { width: 40%; }
.answers p { margin: 0; color: var(--soft); }
.good th { color: var(--get); } .refused th { color: var(--soft); }
td { overflow-wrap: anywhere; }
.limits, td i { color: var(--soft); }
pre { margin: 0; padding: 0.75rem 1rem; overflow-x: auto; background: var(--raised); border-radius: 0.375rem; }
@media (max-width: 52rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding-top: 1.5rem; }
  section { padding: 0.9rem; }
  .fields thead { display: none; }
  .fields tr { display: block; border-top: 1px solid var(--line); padding: 0.35rem 0; }
  .fields tbody th, .fields tbody td { display: block; border: 0; padding: 0; }
  .fields tr > :first-child, .fields tr > :last-child { width: auto; }
  .fields td:last-child code::before { content: "default "; color: var(--soft); font-family: system-ui, sans-serif; }
  .fields tbody td:empty { display: none; }
}
`;
