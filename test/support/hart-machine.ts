/** Runs the cases of hart-cases.ts on our hart, and on the oracle where there is one. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cause, Exit } from "../../src/core/abi/exit";
import { MapFlag, Prot } from "../../src/core/abi/mman";
import { bootCore, type TestCore } from "./core";
import { CASE_BYTES, type Case, CODE, DATA, encodeCase, hash, REGION_BYTES, RESULT_BYTES } from "./hart-cases";

const FLAGS = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;
const SIGNALS: Partial<Record<Cause, number>> = {
  [Cause.Illegal]: 4,
  [Cause.Breakpoint]: 5,
  [Cause.LoadMisaligned]: 7,
  [Cause.StoreMisaligned]: 7,
  [Cause.FetchPage]: 11,
  [Cause.LoadPage]: 11,
  [Cause.StorePage]: 11,
};

export class HartMachine {
  readonly machine: TestCore;
  private readonly bytes: Uint8Array;
  private readonly bounce: number;
  private readonly data = Uint32Array.from({ length: REGION_BYTES / 4 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));

  constructor() {
    this.machine = bootCore(16, 1);
    const { core, cpu, memory } = this.machine;
    this.bytes = new Uint8Array(memory.buffer);
    this.bounce = core.bounce(cpu);
    for (const [at, prot] of [
      [CODE, Prot.Read | Prot.Write | Prot.Exec],
      [DATA, Prot.Read | Prot.Write],
    ] as const) {
      if (core.sysMmap(cpu, at, BigInt(REGION_BYTES), prot, FLAGS, 0, 0n) !== at) throw new Error("mmap");
    }
  }

  run(test: Case): Uint8Array {
    const { core, cpu } = this.machine;
    this.put(DATA, new Uint8Array(this.data.buffer));
    const code = new Uint8Array(REGION_BYTES);
    new Uint16Array(code.buffer).fill(0x9002);
    code.set(test.code, test.start);
    this.put(CODE, code);
    core.clearReservation(cpu);
    for (let i = 1; i < 32; i++) core.setX(cpu, i, test.x[i]);
    for (let i = 0; i < 32; i++) core.setF(cpu, i, test.f[i]);
    core.setFcsr(cpu, test.fcsr);
    core.setPc(cpu, CODE + BigInt(test.start));
    const exit = core.hartRun(cpu, 1000);
    return this.result(exit === Exit.Trap ? (SIGNALS[core.trapCause(cpu) as Cause] ?? 0) : 0);
  }

  private result(signal: number): Uint8Array {
    const { core, cpu } = this.machine;
    const bytes = new Uint8Array(RESULT_BYTES);
    const words = new BigUint64Array(bytes.buffer);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, signal, true);
    view.setUint32(4, core.getFcsr(cpu), true);
    words[1] = BigInt.asUintN(64, core.getPc(cpu));
    for (let i = 1; i < 32; i++) words[2 + i] = core.getX(cpu, i);
    for (let i = 0; i < 32; i++) words[34 + i] = core.getF(cpu, i);
    if (core.copyFromUser(cpu, this.bounce, DATA, REGION_BYTES) !== 0n) throw new Error("copyFromUser");
    const data = this.bytes.slice(this.bounce, this.bounce + REGION_BYTES);
    view.setUint32(528, hash(new Uint32Array(data.buffer)), true);
    return bytes;
  }

  private put(at: bigint, bytes: Uint8Array): void {
    const { core, cpu } = this.machine;
    this.bytes.set(bytes, this.bounce);
    if (core.copyToUser(cpu, at, this.bounce, bytes.length) !== 0n) throw new Error("copyToUser");
  }
}

export type Oracle = (cases: Case[]) => Uint8Array[];

/** Compiles the driver and names the emulator; undefined where the machine has not both. */
export function findOracle(): Oracle | undefined {
  const emulator = ["qemu-riscv64", "qemu-riscv64-static"].find((name) => spawnSync(name, ["--version"]).status === 0);
  const compiler = "riscv64-linux-gnu-gcc";
  if (emulator === undefined || spawnSync(compiler, ["--version"]).status !== 0) return undefined;
  const driver = join(mkdtempSync(join(tmpdir(), "hart-")), "driver");
  const source = fileURLToPath(new URL("../oracle/hart-driver.c", import.meta.url));
  const flags = "-O1 -march=rv64gc -mabi=lp64d -mno-relax -static -nostdlib -ffreestanding -o".split(" ");
  execFileSync(compiler, [...flags, driver, source]);
  return (cases) => {
    const input = Buffer.concat(cases.map(encodeCase), cases.length * CASE_BYTES);
    const cpu = "rv64,zba=false,zbb=false,zbc=false,zbs=false";
    const { stdout, status, stderr } = spawnSync(emulator, ["-cpu", cpu, driver], {
      input,
      maxBuffer: 1 << 30,
      timeout: 180_000,
    });
    if (status !== 0 || stdout.length !== cases.length * RESULT_BYTES) throw new Error(`oracle: ${status} ${stderr}`);
    return cases.map((_, i) => new Uint8Array(stdout.subarray(i * RESULT_BYTES, (i + 1) * RESULT_BYTES)));
  };
}
