/**
 * `stream` for the MongoDB driver: two-way streams that flow, pause and are piped.
 *
 * A socket's bytes go through one Transform to the driver, which listens for
 * "data" only. That is what is here, at the cost of a function call per chunk.
 */
import { EventEmitter } from "events";
import { queueTick } from "../loop.ts";

/** Bytes, or objects, waiting on the writing side from which on `write` returns false. */
const HIGH_WATER_BYTES = 64 * 1024;
const HIGH_WATER_OBJECTS = 16;

export interface DuplexOptions {
	objectMode?: boolean;
	readableObjectMode?: boolean;
	writableObjectMode?: boolean;
}

type Done = (error?: Error | null) => void;

/** Both sides of a stream. A subclass says how to read, write and end by `_read`, `_write`, `_final` and `_destroy`. */
export class Duplex extends EventEmitter {
	readable = true;
	writable = true;
	destroyed = false;
	/** Null before anybody has said whether it is to flow. */
	readableFlowing: boolean | null = null;
	readableEnded = false;
	writableEnded = false;
	writableFinished = false;
	#objects: boolean;
	/** Read, and not yet handed on. */
	#chunks: unknown[] = [];
	#sourceHasEnded = false;
	#isFlowQueued = false;
	#writes: { chunk: unknown; done: Done | undefined }[] = [];
	#writesSize = 0;
	#isWriting = false;
	#needsDrain = false;
	#hasClosed = false;

	constructor(options: DuplexOptions = {}) {
		super();
		this.#objects =
			options.objectMode ??
			options.writableObjectMode ??
			options.readableObjectMode ??
			false;
	}

	/** Hands on what was read; null is the end. True: nothing bounds the reading side but `pause`, which `_pause` heeds. */
	push(chunk: unknown): boolean {
		if (this.destroyed || this.#sourceHasEnded) {
			return false;
		}
		if (chunk === null) {
			this.#sourceHasEnded = true;
			this.#queueFlow();
			return false;
		}
		if (this.readableFlowing === true && this.#chunks.length === 0) {
			this.emit("data", chunk);
		} else {
			this.#chunks.push(chunk);
		}
		return true;
	}

	override on(
		name: string | symbol,
		listener: (...values: never[]) => void,
	): this {
		super.on(name, listener as (...values: unknown[]) => void);
		if (name === "data" && this.readableFlowing !== false) {
			this.resume();
		}
		return this;
	}

	override addListener(
		name: string | symbol,
		listener: (...values: never[]) => void,
	): this {
		return this.on(name, listener);
	}

	pause(): this {
		if (this.readableFlowing !== false) {
			this.readableFlowing = false;
			this._pause();
		}
		return this;
	}

	resume(): this {
		if (this.readableFlowing !== true) {
			this.readableFlowing = true;
			this._resume();
			if (this.#chunks.length > 0 || this.#sourceHasEnded) {
				this.#queueFlow();
			}
		}
		return this;
	}

	isPaused(): boolean {
		return this.readableFlowing === false;
	}

	/** Hands everything on to another stream, as fast as that takes it. */
	pipe<T extends Duplex>(target: T): T {
		this.on("data", (chunk: unknown) => {
			if (!target.write(chunk)) {
				this.pause();
			}
		});
		target.on("drain", () => this.resume());
		this.once("end", () => target.end());
		target.emit("pipe", this);
		return target;
	}

	/** False where the writer should wait for "drain". */
	write(chunk: unknown, encoding?: unknown, callback?: Done): boolean {
		const done = typeof encoding === "function" ? (encoding as Done) : callback;
		if (this.writableEnded || this.destroyed) {
			const error = Object.assign(
				new Error("The stream is over: nothing can be written to it."),
				{
					code: this.destroyed
						? "ERR_STREAM_DESTROYED"
						: "ERR_STREAM_WRITE_AFTER_END",
				},
			);
			queueTick(() => {
				done?.(error);
				this.destroy(error);
			});
			return false;
		}
		const bytes = this.#objects ? chunk : asBytes(chunk);
		this.#writesSize += this.#sizeOf(bytes);
		this.#writes.push({ chunk: bytes, done });
		if (!this.#isWriting) {
			this.#writeNext();
		}
		const isFull =
			this.#writesSize >=
			(this.#objects ? HIGH_WATER_OBJECTS : HIGH_WATER_BYTES);
		this.#needsDrain ||= isFull;
		return !isFull;
	}

	end(chunk?: unknown): this {
		if (chunk !== undefined && chunk !== null) {
			this.write(chunk);
		}
		if (!this.writableEnded) {
			this.writableEnded = true;
			this.writable = false;
			queueTick(() => this.#finishIfWritten());
		}
		return this;
	}

	destroy(error?: Error | null): this {
		if (this.destroyed) {
			return this;
		}
		this.destroyed = true;
		this.readable = false;
		this.writable = false;
		this.#chunks = [];
		this.#writes = [];
		this._destroy(error ?? null, (failure) => {
			queueTick(() => {
				if (failure) {
					this.emit("error", failure);
				}
				if (!this.#hasClosed) {
					this.#hasClosed = true;
					this.emit("close");
				}
			});
		});
		return this;
	}

	/** What is needed to begin reading again, or for the first time. */
	protected _resume(): void {}

	protected _pause(): void {}

	protected _write(_chunk: unknown, _encoding: string, callback: Done): void {
		callback();
	}

	protected _final(callback: Done): void {
		callback();
	}

	protected _destroy(error: Error | null, callback: Done): void {
		callback(error);
	}

	#sizeOf(chunk: unknown): number {
		return this.#objects ? 1 : (chunk as Uint8Array).length;
	}

	#queueFlow(): void {
		if (!this.#isFlowQueued) {
			this.#isFlowQueued = true;
			queueTick(() => {
				this.#isFlowQueued = false;
				this.#flow();
			});
		}
	}

	#flow(): void {
		while (this.readableFlowing === true && this.#chunks.length > 0) {
			this.emit("data", this.#chunks.shift());
		}
		if (
			this.readableFlowing === true &&
			this.#sourceHasEnded &&
			!this.readableEnded &&
			!this.destroyed
		) {
			this.readableEnded = true;
			this.readable = false;
			this.emit("end");
			this.#closeIfOver();
		}
	}

	#writeNext(): void {
		// In a loop where the chunks are taken at once, so that a long queue needs no deep stack.
		let next = this.#writes.shift();
		while (next !== undefined) {
			const { chunk, done } = next;
			let isTaken = false;
			this.#isWriting = true;
			let isLate = false;
			this._write(chunk, "buffer", (error) => {
				this.#isWriting = false;
				if (error) {
					queueTick(() => done?.(error));
					this.destroy(error);
					return;
				}
				isTaken = true;
				this.#writesSize -= this.#sizeOf(chunk);
				if (done !== undefined) {
					queueTick(() => done(null));
				}
				if (isLate) {
					this.#writeNext();
				}
			});
			isLate = true;
			if (!isTaken || this.destroyed) {
				return;
			}
			next = this.#writes.shift();
		}
		if (this.#needsDrain) {
			this.#needsDrain = false;
			queueTick(() => {
				if (!this.destroyed) {
					this.emit("drain");
				}
			});
		}
		if (this.writableEnded) {
			this.#finishIfWritten();
		}
	}

	#finishIfWritten(): void {
		if (
			this.#isWriting ||
			this.#writes.length > 0 ||
			this.writableFinished ||
			this.destroyed
		) {
			return;
		}
		this.writableFinished = true;
		this._final((error) => {
			if (error) {
				this.destroy(error);
				return;
			}
			this.emit("finish");
			this.#closeIfOver();
		});
	}

	#closeIfOver(): void {
		if (this.readableEnded && this.writableFinished) {
			this.destroy();
		}
	}
}

/** A stream that makes something else of what is written to it. */
export class Transform extends Duplex {
	protected _transform(
		_chunk: unknown,
		_encoding: string,
		_callback: (error?: Error | null, result?: unknown) => void,
	): void {
		throw new Error("A Transform says by _transform what it makes.");
	}

	protected override _write(
		chunk: unknown,
		encoding: string,
		callback: Done,
	): void {
		this._transform(chunk, encoding, (error, result) => {
			if (!error && result !== undefined && result !== null) {
				this.push(result);
			}
			callback(error);
		});
	}

	protected override _final(callback: Done): void {
		this.push(null);
		callback();
	}
}

/** Streams of cursors and of GridFS's files, which nothing here opens. */
export class Readable extends Duplex {
	constructor() {
		super();
		throw new Error(
			"Streams of cursors and files are not supported here: iterate over the cursor with `for await`.",
		);
	}
}

export class Writable extends Duplex {
	constructor() {
		super();
		throw new Error(
			"Streams that write files to GridFS are not supported here.",
		);
	}
}

function asBytes(chunk: unknown): Uint8Array {
	if (chunk instanceof Uint8Array) {
		return chunk;
	}
	if (typeof chunk === "string") {
		return host.encodeUtf8(chunk);
	}
	throw new TypeError(
		`A stream is written bytes or text; it was given a value of type ${typeof chunk}.`,
	);
}
