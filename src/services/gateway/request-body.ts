/** What the gateway reads of a request's body; everything else passes as bytes. */
export interface RequestBody {
  readonly bytes: Buffer;
  /** Undefined when the body names no model. */
  readonly model: string | undefined;
  /** Whether the client asked for a stream. */
  readonly stream: boolean;
  /** How many choices or images were asked for; 1 where the body does not say. */
  readonly choices: number;
  /** The body with another model name, every other byte the same. */
  withModel(name: string): Buffer;
}
