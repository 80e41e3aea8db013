/** `npm start`: set up, then the main job, the fault storm under each policy. */
import { launch } from "./launch.mjs";

await launch(["storm", ...process.argv.slice(2)]);
