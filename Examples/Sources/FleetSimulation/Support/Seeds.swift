/// Runs one seed beside another.
enum Seeds {
    /// What `body` makes of each seed, in the order of the seeds, computed on all cores.
    static func map<Result: Sendable>(
        _ seeds: Range<UInt64>, _ name: String, _ body: @escaping @Sendable (UInt64) throws -> Result
    ) async throws -> [Result] {
        let progress = Progress(name, of: seeds.count)
        defer { progress.clear() }
        let work = SeedWork(seeds) { seed in
            defer { progress.step() }
            return try body(seed)
        }
        return try await work.run()
    }
}
