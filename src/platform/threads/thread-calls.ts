import { AppError, type ErrorCode } from "../lib/error.ts";

/** One end of what leads to another thread: a `Worker` or a `MessagePort`, whose messages are handed to `receive`. */
export interface ThreadPort {
  postMessage(message: unknown): void;
}

interface Kinded {
  readonly kind: string;
}

/** An error as it crosses: what a caller may see of it, and the operator's detail. */
interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: string | undefined;
}

type Envelope<Message, Answer> =
  | { readonly told: Message }
  | { readonly asked: Message; readonly id: number }
  | { readonly answered: Answer; readonly id: number }
  | { readonly failed: Failure; readonly id: number };

interface Pending<Answer> {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/**
 * Words and questions between two threads, in the order they are sent. `Sent` is what goes out, `Answer` what comes back
 * for it; `Received` is what comes in, `Reply` what is answered to it. All of them must be of what structured
 * cloning takes.
 */
export class ThreadCalls<Sent, Answer extends Kinded, Received, Reply extends Kinded> {
  readonly #port: ThreadPort;
  readonly #work: (message: Received) => Reply | Promise<Reply>;
  readonly #pending = new Map<number, Pending<Answer>>();
  #nextId = 1;
  #ended: Error | undefined;

  constructor(port: ThreadPort, work: (message: Received) => Reply | Promise<Reply>) {
    this.#port = port;
    this.#work = work;
  }

  /** Takes a message of the port. */
  readonly receive = (envelope: Envelope<Received, Answer>): void => void this.#receive(envelope);

  /** Says something that is not answered; nothing once the other thread has ended. */
  tell(message: Sent): void {
    if (this.#ended === undefined) this.#port.postMessage({ told: message });
  }

  /**
   * Asks, and gives the answer, which must be of `kind`. Throws AppError: what the other thread threw, or `internal` when
   * that thread has ended.
   */
  async ask<Kind extends Answer["kind"]>(
    message: Sent,
    kind: Kind,
  ): Promise<Extract<Answer, { readonly kind: Kind }>> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#pending.set(id, { resolve, reject });
    this.#port.postMessage({ asked: message, id });
    const answer = await promise;
    if (isOf(answer, kind)) return answer;
    throw new Error(`a thread answered ${answer.kind} where ${kind} was asked for`);
  }

  /** The other thread is gone: nothing is answered any more. */
  end(cause: Error): void {
    this.#ended ??= new AppError("internal", undefined, {
      detail: `a thread ended: ${cause.message}`,
      cause,
    });
    for (const pending of this.#pending.values()) pending.reject(this.#ended);
    this.#pending.clear();
  }

  async #receive(envelope: Envelope<Received, Answer>): Promise<void> {
    if ("told" in envelope) await this.#work(envelope.told);
    else if ("asked" in envelope) this.#port.postMessage(await this.#reply(envelope.asked, envelope.id));
    else if ("answered" in envelope) this.#take(envelope.id)?.resolve(envelope.answered);
    else this.#take(envelope.id)?.reject(thrownBy(envelope.failed));
  }

  async #reply(asked: Received, id: number): Promise<Envelope<never, Reply>> {
    try {
      return { answered: await this.#work(asked), id };
    } catch (error) {
      return { failed: failureOf(error), id };
    }
  }

  #take(id: number): Pending<Answer> | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}

function isOf<Answer extends Kinded, Kind extends Answer["kind"]>(
  answer: Answer,
  kind: Kind,
): answer is Extract<Answer, { readonly kind: Kind }> {
  return answer.kind === kind;
}

function failureOf(error: unknown): Failure {
  if (error instanceof AppError) return { code: error.code, message: error.message, detail: error.detail };
  const { message } = new AppError("internal");
  return { code: "internal", message, detail: error instanceof Error ? error.message : String(error) };
}

function thrownBy({ code, message, detail }: Failure): AppError {
  return new AppError(code, message, detail === undefined ? {} : { detail });
}
