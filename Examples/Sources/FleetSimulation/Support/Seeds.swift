/// Runs one seed beside another.
enum Seeds {
    /// What `body` makes of each seed, in the order of the seeds, computed on all cores.
    static func map<Result: Sendable>(
        _ seeds: Range<UInt64>, _ name: String, _ body: @escaping @Sendable (UInt64) throws -> Result
    ) async throws -> [Result] {
        let progress = Progress(name, of: seeds.count)
        defer { progress.clear() }
        return try await withThrowingTaskGroup(of: (UInt64, Result).self) { group in
            for seed in seeds {
                group.addTask {
                    defer { progress.step() }
                    return (seed, try body(seed))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
