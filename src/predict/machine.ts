/**
 * A machine as data: its topology, how it flushes TLBs, and a value with a source for every constant.
 *
 * Promise    what is wrong with a file is one line: the place, and what is allowed there. A constant without a source is
 *            marked as assumed, or as fitted to something, and says between which bounds it is to be swept. What a file leaves out it takes from common.json.
 */
import { Most } from "../core/abi/most.js";
import { CONSTANTS, type ConstantName, type Meaning, type Values } from "./constants.js";
import { ModelError, object, oneOf, onlyKeys, parse, text as string } from "./json.js";
import { cpusOf, type Topology } from "./topology.js";

export { ModelError } from "./json.js";

export interface Constant {
  readonly value: number;
  readonly unit: string;
  readonly source?: string;
  readonly assumed?: boolean;
  /** What it was fitted to. */
  readonly fitted?: string;
  readonly sweep?: readonly [number, number];
  readonly note?: string;
}

export type Flush = "ipi" | "broadcast";
export type LayoutName = "page" | "halves" | "fragments";

export interface Machine {
  readonly name: string;
  readonly about: string;
  readonly topology: Topology;
  /** How other CPUs lose translations: by interrupts, or by the hardware's own broadcast. */
  readonly flush: Flush;
  /** How the architecture cuts page tables, unless a run says otherwise. */
  readonly layout: LayoutName;
  readonly constants: Readonly<Record<ConstantName, Constant>>;
  readonly cpus: number;
}

const KEYS = ["name", "about", "topology", "flush", "layout", "constants"];
const TOPOLOGY = ["sockets", "complexesPerSocket", "coresPerComplex", "threadsPerCore"] as const;
const CONSTANT_KEYS = ["value", "unit", "source", "assumed", "fitted", "sweep", "note"];

export function parseMachine(text: string, place: string, common?: Partial<Record<ConstantName, Constant>>): Machine {
  const file = object(parse(text, place), place);
  onlyKeys(file, KEYS, place);
  const topology = topologyOf(file.topology, `${place}: topology`);
  const constants = { ...common, ...constantsOf(file.constants ?? {}, `${place}: constants`) };
  for (const name of Object.keys(CONSTANTS)) {
    if (!(name in constants)) throw new ModelError(`${place}: constants.${name}: missing, and common.json has none`);
  }
  return {
    name: string(file.name, `${place}: name`),
    about: string(file.about, `${place}: about`),
    topology,
    flush: oneOf(file.flush ?? "ipi", ["ipi", "broadcast"] as const, `${place}: flush`),
    layout: oneOf(file.layout ?? "page", ["page", "halves", "fragments"] as const, `${place}: layout`),
    constants: constants as Record<ConstantName, Constant>,
    cpus: cpusOf(topology),
  };
}

/** The constants of common.json. */
export function parseCommon(text: string, place: string): Partial<Record<ConstantName, Constant>> {
  const file = object(parse(text, place), place);
  onlyKeys(file, ["about", "constants"], place);
  return constantsOf(file.constants, `${place}: constants`);
}

export function valuesOf(machine: Machine): Values {
  return Object.fromEntries(Object.entries(machine.constants).map(([name, { value }]) => [name, value])) as Values;
}

/** The machine with some constants at other values. */
export function withValues(machine: Machine, values: Partial<Record<ConstantName, number>>): Machine {
  const changed = Object.entries(values).map(([name, value]) => {
    const old = machine.constants[name as ConstantName];
    return [name, { ...old, value: value ?? old.value }];
  });
  return { ...machine, constants: { ...machine.constants, ...Object.fromEntries(changed) } };
}

function topologyOf(given: unknown, place: string): Topology {
  const file = object(given, place);
  onlyKeys(file, TOPOLOGY, place);
  for (const key of TOPOLOGY) {
    const n = file[key];
    if (typeof n !== "number" || !Number.isInteger(n) || n < 1)
      throw new ModelError(`${place}.${key}: a whole number from 1 is wanted`);
  }
  const topology = file as unknown as Topology;
  if (cpusOf(topology) > Most.Cpus)
    throw new ModelError(`${place}: ${cpusOf(topology)} CPUs; the core's masks hold ${Most.Cpus}`);
  return topology;
}

function constantsOf(given: unknown, place: string): Partial<Record<ConstantName, Constant>> {
  const file = object(given, place);
  onlyKeys(file, Object.keys(CONSTANTS), place);
  for (const [name, constant] of Object.entries(file)) {
    mustBeConstant(constant, CONSTANTS[name as ConstantName], `${place}.${name}`);
  }
  return file as Partial<Record<ConstantName, Constant>>;
}

function mustBeConstant(given: unknown, meaning: Meaning, place: string): void {
  const constant = object(given, place);
  onlyKeys(constant, CONSTANT_KEYS, place);
  if (constant.unit !== meaning.unit) throw new ModelError(`${place}.unit: "${meaning.unit}" is wanted`);
  const { least = 0, most = Number.MAX_VALUE } = meaning;
  const inRange = (n: unknown) => typeof n === "number" && n >= least && n <= most;
  const allowed = `${least} or more${meaning.most === undefined ? "" : `, ${most} at most`}`;
  if (!inRange(constant.value))
    throw new ModelError(`${place}.value: ${JSON.stringify(constant.value)}; allowed: ${allowed}`);
  if (constant.assumed === true || constant.fitted !== undefined) {
    const { sweep } = constant;
    if (!Array.isArray(sweep) || sweep.length !== 2 || !sweep.every(inRange)) {
      throw new ModelError(`${place}.sweep: what is assumed or fitted is swept between two bounds, each ${allowed}`);
    }
  } else string(constant.source, `${place}.source`);
}
