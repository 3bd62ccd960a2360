/** Something of the application that tend.toml can refer to. */
export interface Finding<Value> {
  value: Value;
  /** Where it comes from and why it was chosen: a sentence for the comment above it. */
  why: string;
}

/** Something that looked like it and is not used. */
export interface Rejection {
  /** As it would stand in tend.toml: `config/database.yml#production`. */
  source: string;
  why: string;
}
