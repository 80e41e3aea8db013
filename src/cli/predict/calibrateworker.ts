/** cli/predict/calibrateworker.ts: the other thread of the micro-benchmark: gives the ball back, later sleeps and answers. */
import { workerData } from "node:worker_threads";
import { ANSWER, BALL, BED, MODE, READY } from "./calibrate.js";

export interface CalibrateInit {
  readonly shared: SharedArrayBuffer;
}

const words = new Int32Array((workerData as CalibrateInit).shared);
Atomics.store(words, READY, 1);
while (Atomics.load(words, MODE) === 0) {
  const ball = Atomics.load(words, BALL);
  if (ball % 2 === 1) Atomics.store(words, BALL, ball + 1);
}
while (true) {
  const seen = Atomics.load(words, BED);
  Atomics.wait(words, BED, seen);
  Atomics.add(words, ANSWER, 1);
}
