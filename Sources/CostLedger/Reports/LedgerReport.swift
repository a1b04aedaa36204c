/// What is worked out from postings, one after the other, wherever they are kept.
///
/// Postings are given in any order, each once. Each counts from when it was held, as in the windows of the ledger. Which of them a report is about is for the caller to choose, such as by ``Posting/scopes``.
public protocol LedgerReport: Sendable {
    /// Takes one more posting into account.
    mutating func add(_ posting: Posting)
    /// The report as rows and columns, for people or for a file.
    var table: ReportTable { get }
}

extension LedgerReport {
    /// Takes more postings into account.
    public mutating func add(contentsOf postings: some Sequence<Posting>) {
        for posting in postings { add(posting) }
    }
}

extension Posting {
    /// Whose posting it is among scopes of one kind: all their names, because each posting belongs to one group.
    ///
    /// Nil when it has none.
    func group(_ kind: Scope.Kind) -> String? {
        var names = scopes.lazy.filter { $0.kind == kind }.map(\.name)[...]
        guard let first = names.popFirst() else { return nil }
        return names.isEmpty ? first : ([first] + names).sorted().joined(separator: " + ")
    }

    /// The name of the first model among the scopes.
    var model: String? { scopes.first { $0.kind == .model }?.name }
}

extension Window {
    /// The window that `time` is in, in nanoseconds since 1970; of a rolling one the step.
    public func period(at time: Int64) -> Range<Int64> {
        let (start, end) = bounds(at: time)
        return start..<end
    }
}
