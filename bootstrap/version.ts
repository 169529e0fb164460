import packageJson from "../package.json" with { type: "json" };

/** The bootstrap's version, which is the project's. */
export const version: string = packageJson.version;
