import ArgumentParser
import Foundation

/// What every scenario takes.
struct ScenarioOptions: ParsableArguments {
    /// How the result is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, tsv, svg
    }

    @Option(help: "The first seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds are run, counting up from the first.")
    var seeds: Int?
    @Option(help: "How the result is written: table, tsv or svg.")
    var format: Format = .table
    @Option(help: "Also draws the result into this SVG file.")
    var drawing: String?

    func validate() throws {
        if let drawing {
            let folder = URL(fileURLWithPath: drawing).deletingLastPathComponent().path
            let isWritable = FileManager.default.isWritableFile(atPath: folder)
            try Check.that(isWritable, "--drawing", drawing, "in a folder that can be written")
        }
        try Check.that((1...1_000_000).contains(seeds ?? 1), "--seeds", seeds ?? 1, "from 1 to 1000000")
        try Check.that(seed <= UInt64(Int64.max), "--seed", seed, "at most \(Int64.max)")
    }

    /// The seeds, `standard` of them unless the user chose.
    func range(standard: Int) -> Range<UInt64> { seed..<seed + UInt64(seeds ?? standard) }

    /// Writes `result` to standard output in the format that was asked for, and to the drawing's file if there is one.
    func show(_ result: some ScenarioResult) throws {
        if let drawing {
            do { try Data(result.svg.utf8).write(to: URL(fileURLWithPath: drawing)) } catch {
                throw ValidationError("--drawing \(drawing) cannot be written: \(error.localizedDescription)")
            }
        }
        switch format {
        case .table: print(result.table)
        case .tsv: print(result.tsv)
        case .svg: print(result.svg)
        }
    }
}
