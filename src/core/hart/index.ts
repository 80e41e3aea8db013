/** What the core exports of the hart. */
export {
  clearReservation,
  copyHart,
  getF,
  getFcsr,
  getPc,
  getX,
  instructions,
  resetHart,
  setF,
  setFcsr,
  setPc,
  setX,
} from "./record";
export { hartRun } from "./run";
