import { bringUp } from "./lab/up.ts"; import { takeDown } from "./lab/down.ts"; import { labPlace, defaultStateFolder } from "./lab/place.ts";
const lab = labPlace(defaultStateFolder());
if (process.argv[2]==="up") console.log(await bringUp(lab)); else await takeDown(lab);
