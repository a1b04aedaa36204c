import ArgumentParser
import Foundation
import SpillwayTesting

/// Recorded requests with what they share.
struct RoutingTrace: Sendable {
    struct Arrival: Sendable {
        /// Seconds since the first.
        let at: Double
        let tokens: Int
        let output: Int
        /// One id for each block of ``blockTokens``: equal ids are equal beginnings.
        let blocks: [UInt64]
    }

    /// Tokens of a block, as Mooncake's traces have it.
    static let blockTokens = 512

    /// What results call it: the file's name.
    let name: String
    let arrivals: [Arrival]
    var seconds: Double { arrivals.last?.at ?? 0 }

    /// Reads a trace: lines of JSON with `timestamp` (ms), `input_length`, `output_length` and `hash_ids`, as Mooncake's, or a CSV of
    /// time, prompt tokens and answer tokens, as Azure's.
    ///
    /// - Throws: `ValidationError` that names the line.
    init(path: String) throws {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw ValidationError("--trace \(path) cannot be read: \(error.localizedDescription)")
        }
        try self.init(text: text, path: path)
    }

    init(text: String, path: String = "") throws {
        let isJSON = text.first { !$0.isWhitespace } == "{"
        let arrivals = try isJSON ? Self.lines(text, path) : Self.table(text, path)
        guard let first = arrivals.first, let last = arrivals.last, last.at > first.at else {
            throw ValidationError("\(path) has no two requests at different times")
        }
        name = URL(fileURLWithPath: path).lastPathComponent
        self.arrivals = arrivals.map {
            Arrival(at: $0.at - first.at, tokens: $0.tokens, output: $0.output, blocks: $0.blocks)
        }
    }

    private struct Line: Decodable {
        let timestamp: Double
        let inputLength: Int
        let outputLength: Int
        let hashIDs: [Int64]?

        enum CodingKeys: String, CodingKey {
            case timestamp
            case inputLength = "input_length"
            case outputLength = "output_length"
            case hashIDs = "hash_ids"
        }
    }

    private static func lines(_ text: String, _ path: String) throws -> [Arrival] {
        let decoder = JSONDecoder()
        var arrivals: [Arrival] = []
        // Empty lines count, so that editors find the line that is named.
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        where !line.allSatisfy(\.isWhitespace) {
            let place = "\(path) line \(number + 1)"
            guard let read = try? decoder.decode(Line.self, from: Data(line.utf8)) else {
                throw ValidationError("\(place): no object with timestamp, input_length, output_length and hash_ids")
            }
            let arrival = Arrival(
                at: read.timestamp / 1_000, tokens: read.inputLength, output: max(1, read.outputLength),
                blocks: (read.hashIDs ?? []).map { UInt64(bitPattern: $0) })
            guard sizes.contains(arrival.tokens), 0...sizes.upperBound ~= read.outputLength else {
                throw ValidationError("\(place): input_length or output_length is none of a call")
            }
            guard arrival.blocks.count <= (arrival.tokens + blockTokens - 1) / blockTokens else {
                throw ValidationError("\(place): more hash_ids than blocks of \(blockTokens) tokens")
            }
            guard arrival.at >= arrivals.last?.at ?? arrival.at else {
                throw ValidationError("\(place): earlier than the line before it")
            }
            arrivals.append(arrival)
        }
        return arrivals
    }

    private static func table(_ text: String, _ path: String) throws -> [Arrival] {
        try LadderTrace(csv: text, path: path).arrivals.enumerated().map { number, arrival in
            let request = arrival.request
            guard sizes.contains(request.promptTokens), sizes.contains(request.outputTokens) else {
                throw ValidationError("\(path) line \(number + 2): more tokens than a call can have")
            }
            return Arrival(at: arrival.at, tokens: request.promptTokens, output: request.outputTokens, blocks: [])
        }
    }

    /// Tokens that are believed of a prompt or an answer.
    private static let sizes = 1...100_000_000
}
