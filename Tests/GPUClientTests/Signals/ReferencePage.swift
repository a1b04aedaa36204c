import GPUClient
import SpillwayCore

/// A reader of pages as plain as can be, to compare with: whole lines as strings, no tables, no tricks.
struct ReferencePage {
    struct Line {
        var name: String
        var labels: [String: String]
        var value: Double?
    }

    private var values: [String: (rank: Int, values: [Double])] = [:]
    private(set) var unreadable = 0

    init(_ page: [UInt8], model: String? = nil) {
        var lines = page.split(separator: 10, omittingEmptySubsequences: false)
        let cut = lines.removeLast()
        for line in lines { take(Array(line), isCut: false, model: model) }
        if !cut.isEmpty { take(Array(cut), isCut: true, model: model) }
    }

    private mutating func take(_ bytes: [UInt8], isCut: Bool, model: String?) {
        var rest = bytes[...]
        while let byte = rest.first, byte == 32 || byte == 9 { rest.removeFirst() }
        while let byte = rest.last, byte == 13 || byte == 32 || byte == 9 { rest.removeLast() }
        let name = String(decoding: rest.prefix(while: Self.isName), as: UTF8.self)
        guard let field = Self.field(of: name) else { return }
        guard !isCut, let line = Self.line(rest) else { return unreadable += 1 }
        if let model, let its = line.labels["model_name"] ?? line.labels["model"], its != model { return }
        guard let value = line.value else { return unreadable += 1 }
        for (field, value) in Self.meaning(field, line.labels, value) { add(field, value) }
    }

    private mutating func add(_ field: (String, Int), _ value: Double) {
        let (name, rank) = field
        let most: Double =
            switch name {
            case "waiting", "running": 1e9
            case "kvUse", "hitRate": 1
            case "blockSize": 1e6
            case "blocks", "used": 1e12
            default: 0x1p53
            }
        let value = most == 1 && value > 1 && value <= 1.001 ? 1 : value
        guard value >= (name == "blockSize" ? 1 : 0), value <= most else { return unreadable += 1 }
        if let known = values[name], known.rank < rank { return }
        if let known = values[name], known.rank == rank {
            values[name] = (rank, known.values + [value])
        } else {
            values[name] = (rank, [value])
        }
    }

    func sum(_ name: String) -> Double? { values[name]?.values.reduce(0, +) }
    func mean(_ name: String) -> Double? { values[name].map { $0.values.reduce(0, +) / Double($0.values.count) } }
    func most(_ name: String) -> Double? { values[name]?.values.max() }

    static func isName(_ byte: UInt8) -> Bool {
        (65...90).contains(byte) || (97...122).contains(byte) || (48...57).contains(byte) || byte == 95 || byte == 58
    }

    /// What a name stands for, and its rank among the names of the same.
    private static func field(of name: String) -> (String, Int)? {
        guard let mark = name.firstIndex(where: { $0 == ":" || $0 == "_" }) else { return nil }
        let rest = String(name[name.index(after: mark)...])
        let isTotal = rest.hasSuffix("_total")
        let bare = isTotal ? String(rest.dropLast(6)) : rest
        switch name[..<mark] {
        case "vllm":
            let counters = [
                "prefix_cache_queries": ("queries", 0), "gpu_prefix_cache_queries": ("queries", 2),
                "prefix_cache_hits": ("hits", 0), "gpu_prefix_cache_hits": ("hits", 2),
                "num_preemptions": ("preemptions", 0),
            ]
            if let (field, rank) = counters[bare] { return (field, isTotal ? rank : rank + 1) }
            return [
                "num_requests_waiting": ("waiting", 0), "num_requests_running": ("running", 0),
                "kv_cache_usage_perc": ("kvUse", 0), "gpu_cache_usage_perc": ("kvUse", 2),
                "gpu_prefix_cache_hit_rate": ("hitRate", 0), "cache_config_info": ("info", 2),
            ][rest]
        case "sglang":
            return [
                "num_queue_reqs": ("waiting", 0), "num_running_reqs": ("running", 0), "token_usage": ("kvUse", 0),
                "page_size": ("blockSize", 0), "num_pages": ("blocks", 0), "cache_config_info": ("info", 2),
                "cache_hit_rate": ("hitRate", 0),
            ][rest]
        default: return nil
        }
    }

    private static func meaning(
        _ field: (String, Int), _ labels: [String: String], _ value: Double
    ) -> [((String, Int), Double)] {
        guard field.0 == "info" else { return [(field, value)] }
        let pairs = [
            ("block_size", "blockSize"), ("page_size", "blockSize"), ("num_gpu_blocks", "blocks"),
            ("num_pages", "blocks"),
        ]
        return pairs.compactMap { label, name in
            number(labels[label].map { Array($0.utf8)[...] } ?? []).map { ((name, field.1), $0) }
        }
    }

    /// The labels and the value of a line; nil when its labels are malformed.
    private static func line(_ bytes: ArraySlice<UInt8>) -> Line? {
        var rest = bytes.drop(while: isName)
        func skip() { rest = rest.drop { $0 == 32 || $0 == 9 } }
        var labels: [String: String] = [:]
        let hasBlank = rest.first == 32 || rest.first == 9
        skip()
        if rest.first == 123 {
            rest.removeFirst()
            skip()
            while rest.first != 125 {
                let key = rest.prefix(while: isName)
                rest = rest.drop(while: isName)
                skip()
                guard !key.isEmpty, rest.first == 61 else { return nil }
                rest.removeFirst()
                skip()
                guard rest.first == 34 else { return nil }
                rest.removeFirst()
                var value: [UInt8] = []
                while let byte = rest.first, byte != 34 {
                    rest.removeFirst()
                    guard byte == 92, let escaped = rest.first else {
                        value.append(byte)
                        continue
                    }
                    rest.removeFirst()
                    value.append(escaped == 110 ? 10 : escaped)
                }
                guard rest.first == 34 else { return nil }
                rest.removeFirst()
                labels[String(decoding: key, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
                skip()
                if rest.first == 44 { rest.removeFirst() } else if rest.first != 125 { return nil }
                skip()
            }
            rest.removeFirst()
        } else if !hasBlank {
            return nil
        }
        skip()
        let words = rest.split { $0 == 32 || $0 == 9 }
        guard let first = words.first, let value = number(first) else { return Line(name: "", labels: labels) }
        let isTail = words.count == 1 || words[1].first == 35
        let isTimed = words.count >= 2 && number(words[1]) != nil && (words.count == 2 || words[2].first == 35)
        return Line(name: "", labels: labels, value: isTail || isTimed ? value : nil)
    }

    /// A number as Swift reads it, without what Swift reads beyond (hexadecimal digits, NaN with a payload).
    static func number(_ bytes: ArraySlice<UInt8>) -> Double? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard !text.lowercased().contains(where: { $0 == "x" || $0 == "(" || $0 == "p" }) else { return nil }
        // Of what is too large or too small, the C library and Swift's own reader say different things.
        return Double(text)
    }
}
