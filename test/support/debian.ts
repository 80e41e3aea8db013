/** Source packages from whatever Debian mirror this machine uses, fetched by apt with a state folder of its own. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tools/paths.mjs";

const APT = "/etc/apt";
const WORK = join(ROOT, "build/debian");

/** The machine's own Debian sources, asking for sources instead of packages: text of a list file and its extension. */
function sourceList(): { text: string; extension: string } {
  const parts = existsSync(`${APT}/sources.list.d`) ? readdirSync(`${APT}/sources.list.d`) : [];
  const deb822 = parts
    .filter((name) => name.endsWith(".sources"))
    .flatMap((name) => readFileSync(`${APT}/sources.list.d/${name}`, "utf8").split(/\n\s*\n/))
    .filter((stanza) => /^URIs:.*\/debian/m.test(stanza))
    .map((stanza) => stanza.replace(/^Types:.*$/m, "Types: deb-src"));
  if (deb822.length > 0) return { text: `${deb822.join("\n\n")}\n`, extension: "sources" };
  const lists = [
    `${APT}/sources.list`,
    ...parts.filter((n) => n.endsWith(".list")).map((n) => `${APT}/sources.list.d/${n}`),
  ];
  const lines = lists
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => /^deb\s.*\/debian/.test(line))
    .map((line) => line.replace(/^deb\s/, "deb-src "));
  return { text: `${lines.join("\n")}\n`, extension: "list" };
}

/** Downloads and unpacks the upstream sources of a Debian package; the folder that holds them. */
export function debianSource(name: string): string {
  const folder = join(WORK, name);
  const unpacked = join(folder, "src");
  if (existsSync(join(unpacked, ".complete"))) return unpacked;
  for (const sub of ["parts", "state/lists/partial", "cache/archives/partial", name]) {
    mkdirSync(join(WORK, sub), { recursive: true });
  }
  mkdirSync(unpacked, { recursive: true });
  const { text, extension } = sourceList();
  writeFileSync(join(WORK, `parts/debian.${extension}`), text);
  const options = [
    `Dir::State=${WORK}/state`,
    `Dir::Cache=${WORK}/cache`,
    "Dir::Etc::SourceList=/dev/null",
    `Dir::Etc::SourceParts=${WORK}/parts`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  const run = (...args: string[]) =>
    execFileSync("apt-get", [...options, "-qq", ...args], { cwd: folder, stdio: "pipe" });
  run("update");
  run("source", "--download-only", name);
  const archive = readdirSync(folder).find((file) => file.includes(".orig.tar."));
  if (!archive) throw new Error(`no upstream archive of ${name} came`);
  execFileSync("tar", ["-xf", join(folder, archive), "-C", unpacked, "--strip-components=1"]);
  writeFileSync(join(unpacked, ".complete"), "");
  return unpacked;
}
