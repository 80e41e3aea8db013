/**
 * How fast the hart is: instructions a second on one thread, over integer code as gcc -O2 makes it (rv64gc).
 *
 * Usage     node tools/hart-speed.mjs [seconds]      needs build/core.wasm (tools/build-core.mjs)
 * Program   test/oracle/hart-speed.c: xorshift fill, insertion sort of runs, bitwise CRC, over 64 KiB; a third of the
 *           instructions are loads, stores and branches. Its text is below, position-independent.
 * Measured  the second half of the time only: the engine has optimised the interpreter by then
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";

const TEXT = Buffer.from(
  "YwcGEjlxKo8m+JOSNQA3jrjt/VQi/Er0TvCTbhUAqpJS7FboWuRe4DKEro8BSQFFvUmzA78AEw4OMoGQ+oYmh2OCDwwTl94AM0fXAZNXdwC5j5OeFwGzzv4AI7DWAaEG45LS/mP9+QWTC48ABUsBSEFKkxo4AF6D2oj6mmN6SwODNQMAGoaah0aHY2gYASGolOOTB4b/YwUHCYO2h/99Fz6G4+fV/gzihQghA+OaSP1BCkEIQQuTiwsI4/xP+3qG+oV9V4PHBQChRj2Pk3cXALsH8EAbVxcAs/fHAbmP/TYbhwcA5faDRgYAE1hVAAUGk5dWAJWPwpc+laEF45TD/AIXAZMFCTqV4xok82J0wnQieYJ5YmrCaiJrgmshYYKAVoYM4oUIIQPjnEj1UbcBRYKA",
  "base64",
);
const CODE = 0x10000n;
const DATA = 0x100000n;
const STACK = 0x200000n;
const READ_WRITE = 3;
const READ_EXEC = 5;
const ANON_FIXED = 0x32;
const EXIT_FUEL = 6;
const ECALL = 0x73;

const memory = new WebAssembly.Memory({ initial: 512, maximum: 512, shared: true });
const wasm = new WebAssembly.Module(readFileSync(process.env.CORE ?? join(ROOT, "build/core.wasm")));
const core = new WebAssembly.Instance(wasm, {
  env: {
    memory,
    pause: (cpu, address, seen, round) => core.pauseRun(cpu, address, seen, round),
    now: () => performance.now() * 1e6,
    bug: (_cpu, code) => {
      throw new Error(`bug ${code}`);
    },
  },
}).exports;

core.boot(512 << 16, 1, 1, 0, 0);
const cpu = core.cpuArea(0);
core.cpuOnline(cpu);
map(CODE, 4096n, READ_WRITE);
map(DATA, 65536n, READ_WRITE);
map(STACK - 4096n, 4096n, READ_WRITE);
new Uint8Array(memory.buffer).set(TEXT, core.bounce(cpu));
new DataView(memory.buffer).setUint32(core.bounce(cpu) + TEXT.length, ECALL, true);
must(core.copyToUser(cpu, CODE, core.bounce(cpu), TEXT.length + 4));
must(core.sysMprotect(cpu, CODE, 4096n, READ_EXEC));

core.setX(cpu, 1, CODE + BigInt(TEXT.length));
core.setX(cpu, 2, STACK);
core.setX(cpu, 10, DATA);
core.setX(cpu, 11, 8192n);
core.setX(cpu, 12, 1n << 40n);
core.setPc(cpu, CODE);

const half = (Number(process.argv[2] ?? 2) / 2) * 1000;
runFor(half);
const { instructions, milliseconds } = runFor(half);
console.log(`${(instructions / milliseconds / 1000).toFixed(1)} million instructions/s`);

function runFor(limit) {
  const before = core.instructions(cpu);
  const started = performance.now();
  while (performance.now() - started < limit) {
    const exit = core.hartRun(cpu, 1 << 20);
    if (exit !== EXIT_FUEL) throw new Error(`hartRun: exit ${exit}, pc ${core.getPc(cpu).toString(16)}`);
  }
  return { instructions: Number(core.instructions(cpu) - before), milliseconds: performance.now() - started };
}

function map(address, length, prot) {
  if (core.sysMmap(cpu, address, length, prot, ANON_FIXED, 0, 0n) !== address) throw new Error("mmap");
}

function must(result) {
  if (result !== 0n) throw new Error(`${result}`);
}
