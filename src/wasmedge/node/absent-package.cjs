/** Stands for the driver's optional packages (compression, cloud credentials): it catches this, and says by name what is missing once it is needed. */
module.exports = undefined;
throw new Error("This optional package is not in the bundle for WasmEdge.");
