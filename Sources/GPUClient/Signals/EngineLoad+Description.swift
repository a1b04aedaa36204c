extension EngineLoad: CustomStringConvertible {
    /// What was said, such as `waiting 3, running 17, memory 41%, 27482 blocks of 16`; or `nothing said`.
    public var description: String {
        let share = { (value: Double) in "\(Int((value * 100).rounded()))%" }
        let parts = [
            waiting.map { "waiting \($0)" }, running.map { "running \($0)" }, kvUse.map { "memory \(share($0))" },
            blocks.map { blocks in "\(blocks) blocks" + (blockSize.map { " of \($0)" } ?? "") },
            blocks == nil ? blockSize.map { "blocks of \($0)" } : nil,
            prefixHits.map { hits in "prefix hits \(hits)" + (prefixQueries.map { " of \($0)" } ?? "") },
            prefixHits == nil ? prefixQueries.map { "prefix look-ups \($0)" } : nil,
            hitRate.map { "hit rate \(share($0))" }, preemptions.map { "preemptions \($0)" },
        ].compactMap { $0 }
        return parts.isEmpty ? "nothing said" : parts.joined(separator: ", ")
    }
}
