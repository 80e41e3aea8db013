/**
 * Replay: a schedule followed event by event.
 *
 * Promise    the schedule of an execution, on the same build, gives that execution again, to the last access.
 * Tolerates  a schedule that was edited (minimise.ts): a lane that waits is waited for, the first lane that can go on doing
 *            so meanwhile; a lane that is done, or an interrupt that nobody asked for, is passed over. When the schedule
 *            ends the last lane carries on, and when it cannot, the one of lowest number.
 */
import { type Lane, LaneState } from "./lane.js";
import type { Run } from "./schedule.js";
import type { Strategy } from "./strategy.js";

export class Replay implements Strategy {
  readonly claim = "one schedule";
  readonly #runs: readonly Run[];
  #lanes: readonly Lane[] = [];
  #at = 0;
  #left = 0;

  constructor(runs: readonly Run[]) {
    this.#runs = runs;
  }

  begin(lanes: readonly Lane[]): void {
    this.#lanes = lanes;
    this.#at = 0;
    this.#left = this.#runs[0]?.events ?? 0;
  }

  choose(enabled: readonly Lane[], last: Lane | undefined): Lane {
    while (this.#at < this.#runs.length) {
      const lane = this.#lanes[this.#runs[this.#at].lane];
      if (this.#left > 0 && lane && enabled.includes(lane)) {
        this.#left--;
        return lane;
      }
      if (this.#left > 0 && lane && mayComeBack(lane)) return lowest(enabled);
      this.#left = this.#runs[++this.#at]?.events ?? 0;
    }
    return last && enabled.includes(last) ? last : lowest(enabled);
  }

  more(): boolean {
    return false;
  }
}

/** It is under way, and waits. */
function mayComeBack(lane: Lane): boolean {
  return lane.call !== undefined && lane.state !== LaneState.Done;
}

function lowest(enabled: readonly Lane[]): Lane {
  return enabled.reduce((least, lane) => (lane.id < least.id ? lane : least));
}
