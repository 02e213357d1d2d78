// Reads {"secret", "headers", "body"} and says which of the npm packages believe the signature.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2]);
const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
const said = {};
for (const name of ["standardwebhooks", "svix"]) {
  let Webhook;
  try {
    ({ Webhook } = require(name));
  } catch {
    said[name] = "absent";
    continue;
  }
  try {
    new Webhook(secret).verify(body, headers);
    said[name] = "believed";
  } catch (error) {
    said[name] = `refused: ${error.message}`;
  }
}
console.log(JSON.stringify(said));
