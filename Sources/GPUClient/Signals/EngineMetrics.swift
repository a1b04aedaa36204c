internal import CSpillway
public import SpillwayCore

/// The load that an engine tells on its page of metrics, in the text format of Prometheus.
///
/// Reads what vLLM, SGLang, TensorRT-LLM, Triton, TGI and llama.cpp call it, by their present and older names, counters with and
/// without `_total`. Of several engines on one page (data-parallel ranks) requests, blocks and counters are added up, and shares
/// are averaged. Whatever else is on the page is passed over without being looked at; reading allocates nothing.
public struct EngineMetrics: Sendable, Hashable {
    /// What was said; of the instant at which the page was asked for.
    public let load: EngineLoad
    /// How many lines of a wanted name were malformed, cut off, or had a value that cannot be.
    public let unreadable: Int

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - page: The body of the answer, of any length and content.
    ///   - model: Whose lines to read on a page of several models; lines that name no model count for all. All by default.
    ///   - now: When the page was asked for.
    public init(_ page: UnsafeRawBufferPointer, model: String? = nil, at now: Instant) {
        var sums = spw_engine_load()
        if let base = page.bindMemory(to: UInt8.self).baseAddress {
            if var model {
                model.withUTF8 { spw_engine_load_read(&sums, base, page.count, $0.baseAddress, $0.count) }
            } else {
                spw_engine_load_read(&sums, base, page.count, nil, 0)
            }
        }
        load = EngineLoad(sums, at: now)
        unreadable = Int(clamping: sums.unreadable)
    }

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - page: The body of the answer, of any length and content.
    ///   - model: Whose lines to read on a page of several models; lines that name no model count for all. All by default.
    ///   - now: When the page was asked for.
    public init(_ page: [UInt8], model: String? = nil, at now: Instant) {
        self = page.withUnsafeBytes { Self($0, model: model, at: now) }
    }
}

extension EngineLoad {
    fileprivate init(_ sums: spw_engine_load, at now: Instant) {
        self.init(
            at: now, waiting: sums.whole(SPW_WAITING).map { Int($0) }, running: sums.whole(SPW_RUNNING).map { Int($0) },
            kvUse: sums.share(SPW_KV_USE), blockSize: sums.whole(SPW_BLOCK_SIZE).map { Int($0) },
            blocks: sums.whole(SPW_BLOCKS).map { Int($0) }, prefixQueries: sums.whole(SPW_PREFIX_QUERIES),
            prefixHits: sums.whole(SPW_PREFIX_HITS), hitRate: sums.share(SPW_HIT_RATE),
            preemptions: sums.whole(SPW_PREEMPTIONS))
    }
}

extension spw_engine_load {
    fileprivate func share(_ field: spw_metric_field) -> Double? {
        let value = withUnsafePointer(to: self) { spw_engine_load_value($0, field) }
        return value.isNaN ? nil : min(1, value)
    }

    fileprivate func whole(_ field: spw_metric_field) -> Int64? {
        let value = withUnsafePointer(to: self) { spw_engine_load_value($0, field) }
        // A sum of many that are in range may be out of it.
        return value.isNaN ? nil : Int64(min(value, 0x1p53).rounded())
    }
}
