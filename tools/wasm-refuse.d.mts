export class RefusedCore extends Error {}
