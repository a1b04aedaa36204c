internal import CSpillway
public import SpillwayCore

/// The load that an engine tells in the header of an answer, as ORCA has it (Open Request Cost Aggregation, xDS proposal A51).
///
/// It is fresh with every answer and costs no scrape. Ask for it with ``requestHeader``; vLLM then tells the use of its memory
/// and how many requests wait. Reads the form `TEXT`, the form `JSON`, and both without that word in front, as some servers
/// send them; names with and without `named_metrics`. The form `TEXT` is read without an allocation.
public struct OrcaReport: Sendable, Hashable {
    /// The header of a request that asks for the load: `endpoint-load-metrics-format`.
    public static let requestHeader = "endpoint-load-metrics-format"
    /// Its value: `text`, the form that costs least to read.
    public static let requestValue = "text"
    /// The header of the answer: `endpoint-load-metrics`.
    public static let responseHeader = "endpoint-load-metrics"

    /// How much of the header is looked at, in bytes.
    public static let longest = 8_192

    /// What was said.
    public private(set) var load = EngineLoad()
    /// How many wanted values were malformed or cannot be; a header that is cut off or broken counts as one more.
    public private(set) var unreadable = 0

    /// Reads the value of the header.
    ///
    /// - Parameters:
    ///   - header: The value of the header ``responseHeader``.
    ///   - now: When the answer began.
    public init(_ header: String, at now: Instant) {
        var header = header
        header.withUTF8 { read(UnsafeRawBufferPointer($0), at: now) }
    }

    /// Reads the value of the header.
    ///
    /// - Parameters:
    ///   - header: The value of the header ``responseHeader``.
    ///   - now: When the answer began.
    public init(_ header: UnsafeRawBufferPointer, at now: Instant) {
        read(header, at: now)
    }

    private mutating func read(_ header: UnsafeRawBufferPointer, at now: Instant) {
        guard header.count <= Self.longest else {
            unreadable = 1
            return
        }
        var reader = OrcaReader(header)
        reader.read()
        unreadable = reader.unreadable
        load = EngineLoad(at: now, waiting: reader.waiting, running: reader.running, kvUse: reader.kvUse)
    }
}
