import CostLedger

/// A table of prices in LiteLLM's format.
enum PriceFile {
    /// Reads the file at `path`.
    static func read(_ path: String) throws -> PriceBook.Import {
        let data = try InputFile.read(path)
        do { return try PriceBook.Import(liteLLM: data) } catch {
            throw InputError("\(path) is no table of prices: \(error)")
        }
    }
}
