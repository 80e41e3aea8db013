/**
 * Names: what an address of the core is, in the words of its source.
 *
 *   0x01084 ─▶ rcu completed            0x54000 ─▶ cpu 0 pending            a frame's byte ─▶ frame 139 byte 0x10
 *   0x8b008 ─▶ pte 40001000             its descriptor ─▶ table 40000000 lock   a record ─▶ vma 40000000-40002000 detached
 *
 * From      build/layout.json, which the build reads out of the core (tools/core-layout.mjs): nothing here knows an offset,
 *           only which file's constants describe which record. A constant's name, without its letter, is the field's.
 * When      a name is true of the moment it is asked: a frame changes its use, a record its owner.
 */
import { Counter } from "../core/abi/counter.js";
import type { Machine } from "./hooked.js";
import { type CoreLayout, type RecordKind, Slabs } from "./slabs.js";

export type { CoreLayout } from "./slabs.js";

export interface Named {
  text: string;
  /** A page-table entry: its value is one, too. */
  entry: boolean;
}

/** The fields of one record: offset and name, in the order of offsets. */
type Fields = readonly (readonly [number, string])[];

const FRAME_SHIFT = 12;
const ENTRY_NAMES = ["pte", "pmd", "pgd"];
const ASIDE = /^(PART|BYTES)$/;

export class Names {
  readonly #machine: Machine;
  readonly #layout: CoreLayout;
  readonly #fixed: Fields;
  readonly #slabs: Slabs;
  /** What was last found in a frame that is a table: when it is free, that is what it was. */
  readonly #was = new Map<number, string>();
  readonly #cpu: Fields;
  readonly #vma: Fields;
  readonly #node: Fields;
  readonly #object: Fields;
  readonly #descriptor: Fields;
  readonly #rcuHead: Fields;
  readonly #tlb: Fields;
  readonly #fetch: Fields;

  constructor(machine: Machine, layout: CoreLayout) {
    this.#machine = machine;
    this.#layout = layout;
    this.#cpu = this.#fields(["sync/cpu.ts", "C_"], ["mm/percpu.ts", "P_"]);
    this.#rcuHead = this.#fields(["sync/rcu.ts", "R_"]);
    this.#vma = this.#fields(["mm/vma.ts", "V_"]);
    this.#node = this.#fields(["mm/tree.ts", "N_"]);
    this.#object = this.#fields(["mm/object.ts", "O_"]);
    this.#descriptor = this.#fields(["mm/frame.ts", "D_"]);
    this.#tlb = this.#fields(["sync/tlb.ts", "T_"]);
    this.#fetch = this.#fields(["sync/tlb.ts", "F_"]);
    this.#fixed = this.#fixedWords();
    this.#slabs = new Slabs(machine, layout);
  }

  /** What lies at `address` now. */
  of(address: number): Named {
    const areas = this.#at("sync/layout.ts", "CPU_AREAS");
    if (address < this.#at("sync/layout.ts", "TASK_REGION")) return plain(this.#fieldAt(this.#fixed, address));
    if (address < areas) return plain(`tasks +${hex(address)}`);
    const area = this.#at("sync/cpu.ts", "CPU_BYTES");
    const index = Math.floor((address - areas) / area);
    if (index < this.#word(this.#at("sync/layout.ts", "H_CPUS"))) {
      return plain(`cpu ${index} ${this.#cpuField((address - areas) % area)}`);
    }
    if (address < this.#machine.firstFrame) return plain(this.#descriptorField(address));
    return this.#inFrame(address);
  }

  /** First byte of the descriptor of the frame that holds `address`; undefined when no frame does. */
  descriptorOf(address: number): number | undefined {
    return this.#isFrame(address) ? this.#descriptorOf(address) : undefined;
  }

  /** The flags of an entry, and where it leads. */
  entry(value: bigint): string {
    if (value === 0n) return "none";
    const bit = (name: string) => (value & BigInt(this.#at("mm/pte.ts", name))) !== 0n;
    const letters = ["R", "W", "X", "U", "A", "D"].map((letter) => (bit(`PTE_${letter}`) ? letter.toLowerCase() : "-"));
    const frame = `frame ${Number(value >> 10n)}`;
    if (!bit("PTE_V")) return `${frame} held`;
    return bit("PTE_R") || bit("PTE_X") || bit("PTE_W") ? `${frame} ${letters.join("")}` : `table in ${frame}`;
  }

  #cpuField(offset: number): string {
    const cpu = this.#layout["sync/cpu.ts"];
    const within = (part: string, end: string) => offset >= cpu[part] && offset < cpu[end];
    if (offset >= cpu.BOUNCE_PART) return `bounce +${hex(offset - cpu.BOUNCE_PART)}`;
    if (within("GATHER_PART", "BOUNCE_PART")) return `gather[${(offset - cpu.GATHER_PART) >> 2}]`;
    if (within("FETCH_PART", "GATHER_PART"))
      return this.#slot("fetch tlb", this.#fetch, offset - cpu.FETCH_PART, "FETCH_STRIDE");
    if (within("TLB_PART", "FETCH_PART")) return this.#slot("tlb", this.#tlb, offset - cpu.TLB_PART, "TLB_STRIDE");
    if (within("COUNTER_PART", "TLB_PART")) return `count ${Counter[(offset - cpu.COUNTER_PART) >> 3] ?? "?"}`;
    if (within("HART_PART", "COUNTER_PART")) return `hart +${hex(offset - cpu.HART_PART)}`;
    return this.#fieldAt(this.#cpu, offset);
  }

  #slot(name: string, fields: Fields, offset: number, strideName: string): string {
    const stride = this.#at("sync/tlb.ts", strideName);
    return `${name}[${Math.floor(offset / stride)}] ${this.#fieldAt(fields, offset % stride)}`;
  }

  #descriptorField(address: number): string {
    const bytes = this.#at("mm/frame.ts", "DESCRIPTOR_BYTES");
    const frame = Math.floor((address - this.#word(this.#at("sync/layout.ts", "H_DESCRIPTORS"))) / bytes);
    const field = this.#recordField(this.#descriptor, (address - this.#descriptorOf(frame << FRAME_SHIFT)) % bytes);
    return `${this.#frameName(frame)} ${field}`;
  }

  /** A table by what it maps, or a frame by its number. */
  #frameName(frame: number): string {
    const { TYPE_TABLE } = this.#layout["mm/frame.ts"];
    const phys = frame << FRAME_SHIFT;
    if (this.#typeOf(phys) !== TYPE_TABLE) return `frame ${frame}`;
    const { level, va } = this.#tableOf(phys);
    return level === 0 ? `table ${hexDigits(va)}` : `${ENTRY_NAMES[level]} table ${hexDigits(va)}`;
  }

  #inFrame(address: number): Named {
    const frame = address >>> FRAME_SHIFT;
    const within = address & ((1 << FRAME_SHIFT) - 1);
    const { TYPE_SLAB, TYPE_TABLE, TYPE_SPARE } = this.#layout["mm/frame.ts"];
    const type = this.#typeOf(address);
    if (type === this.#layout["mm/frame.ts"].TYPE_DATA) this.#was.delete(frame);
    if (type === TYPE_TABLE) {
      const { level, va } = this.#tableOf(address);
      const at = va + BigInt(within >> 3) * (1n << BigInt(12 + 9 * level));
      const text = `${ENTRY_NAMES[level] ?? "entry"} ${hexDigits(at)}`;
      this.#was.set(frame, this.#frameName(frame));
      return { text, entry: true };
    }
    if (type === TYPE_SLAB) return plain(this.#recordAt(address, within));
    if (
      frame ===
      this.#word(this.#at("sync/layout.ts", "SPACE") + this.#at("mm/space.ts", "S_SCRATCH")) >>> FRAME_SHIFT
    )
      return plain(`tree scratch +${hex(within)}`);
    if (type > TYPE_SPARE) return plain(`frame ${frame} byte ${hex(within)}`);
    const was = this.#was.get(frame);
    return plain(`free frame ${frame}${was ? ` (was ${was})` : ""} byte ${hex(within)}`);
  }

  #tableOf(phys: number): { level: number; va: bigint } {
    const d = this.#descriptorOf(phys);
    const { D_LEVEL, D_VA } = this.#layout["mm/frame.ts"];
    return { level: this.#word(d + D_LEVEL), va: this.#long(d + D_VA) };
  }

  #recordAt(address: number, within: number): string {
    const kind = this.#slabs.kindOf(address);
    if (kind === undefined) return `record ${hex(address)}`;
    const bytes = { vma: "VMA_BYTES", node: "NODE_BYTES", object: "OBJECT_BYTES" } as const;
    const file = { vma: "mm/vma.ts", node: "mm/tree.ts", object: "mm/object.ts" } as const;
    const size = this.#at(file[kind], bytes[kind]);
    const offset = within % size;
    const record = address - offset;
    const fields = { vma: this.#vma, node: this.#node, object: this.#object }[kind];
    return `${this.#recordName(kind, record)} ${this.#recordField(fields, offset)}`;
  }

  #recordName(kind: RecordKind, record: number): string {
    if (kind === "object") return `object ${this.#word(record + this.#at("mm/object.ts", "O_ID"))}`;
    const [file, low, high] =
      kind === "vma" ? (["mm/vma.ts", "V_START", "V_END"] as const) : (["mm/tree.ts", "N_LO", "N_HI"] as const);
    const [from, to] = [this.#long(record + this.#at(file, low)), this.#long(record + this.#at(file, high))];
    return from === 0n && to === 0n ? `new ${kind}` : `${kind} ${hexDigits(from)}-${hexDigits(to)}`;
  }

  #recordField(fields: Fields, offset: number): string {
    if (offset < fields[0][0]) return `rcu ${this.#fieldAt(this.#rcuHead, offset)}`;
    return this.#fieldAt(fields, offset);
  }

  /** The last field that begins at or before `offset`; of an array of words, with how far inside. */
  #fieldAt(fields: Fields, offset: number): string {
    let found = fields[0];
    for (const field of fields) if (field[0] <= offset && field[0] > found[0]) found = field;
    const inside = offset - found[0];
    return inside === 0 ? found[1] : `${found[1]}+${inside}`;
  }

  /** The constants of a record, by the letter that its file gives them. */
  #fields(...sources: [file: string, prefix: string][]): Fields {
    const fields = sources.flatMap(([file, prefix]) =>
      Object.entries(this.#layout[file] ?? {})
        .filter(([name]) => name.startsWith(prefix) && !ASIDE.test(name))
        .map(([name, value]) => [value, camel(name.slice(prefix.length))] as const),
    );
    if (fields.length === 0)
      throw new Error(`the core has no constants ${sources.map((source) => source.join(": ")).join(", ")}`);
    return fields.sort(([a], [b]) => a - b);
  }

  /** The words of the header and the allocator. */
  #fixedWords(): Fields {
    const { HEADER, ALLOCATOR, TASK_REGION } = this.#layout["sync/layout.ts"];
    const { RCU, SPACE } = this.#layout["sync/layout.ts"];
    // The fields of the first space, which lies here, are counted from its first byte; everything else is an address.
    const nouns: [file: string, noun: string, prefix: RegExp, from: number, base?: number][] = [
      ["sync/layout.ts", "header", /^H_/, HEADER],
      ["sync/rcu.ts", "rcu", /^(?=[A-Z]{2})/, RCU],
      ["mm/space.ts", "space", /^S_/, SPACE, SPACE],
      ["mm/frame.ts", "frames", /^G_/, ALLOCATOR],
      ["mm/block.ts", "blocks", /^(?=[A-Z]{2})/, ALLOCATOR],
    ];
    const words: [number, string][] = [
      [0, "null"],
      [SPACE + this.#at("mm/space.ts", "MMAP_LOCK"), "mmapLock"],
    ];
    for (const [file, noun, prefix, from, base] of nouns) {
      for (const [name, constant] of Object.entries(this.#layout[file] ?? {})) {
        const value = constant + (base ?? 0);
        if (!prefix.test(name) || value < from || value >= TASK_REGION) continue;
        words.push([value, `${noun} ${camel(name.replace(prefix, ""))}`]);
      }
    }
    const slab = this.#layout["mm/slab.ts"];
    for (const [name, at] of Object.entries(slab).filter(([, value]) => value >= ALLOCATOR)) {
      const noun = `${camel(name.replace("SLAB_", ""))} slab`;
      words.push([at, `${noun} lock`]);
      for (const [field, offset] of Object.entries(slab)) {
        if (field.startsWith("S_")) words.push([at + offset, `${noun} ${camel(field.slice(2))}`]);
      }
    }
    return words.sort(([a], [b]) => a - b);
  }

  #isFrame(address: number): boolean {
    return address >= this.#machine.firstFrame && address < this.#machine.bytes.length;
  }

  #typeOf(phys: number): number {
    return this.#word(this.#descriptorOf(phys) + this.#at("mm/frame.ts", "D_TYPE"));
  }

  #descriptorOf(phys: number): number {
    const first = this.#word(this.#at("sync/layout.ts", "H_DESCRIPTORS"));
    return first + (phys >>> FRAME_SHIFT) * this.#at("mm/frame.ts", "DESCRIPTOR_BYTES");
  }

  #at(file: string, name: string): number {
    const value = this.#layout[file]?.[name];
    if (value === undefined) throw new Error(`the core has no constant ${name} in ${file}`);
    return value;
  }

  #word(address: number): number {
    return this.#machine.words[address >>> 2];
  }

  #long(address: number): bigint {
    return BigInt(this.#word(address)) | (BigInt(this.#word(address + 4)) << 32n);
  }
}

function plain(text: string): Named {
  return { text, entry: false };
}

/** FLUSH_REQ → flushReq */
function camel(name: string): string {
  return name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function hexDigits(value: bigint): string {
  return value.toString(16);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
