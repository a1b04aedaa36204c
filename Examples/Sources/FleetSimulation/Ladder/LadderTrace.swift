import ArgumentParser
import Foundation
import Spillway
import SpillwayTesting

/// The calls of a recorded hour: when each came, and how large it was.
struct LadderTrace: Sendable {
    struct Arrival: Sendable {
        /// Seconds after the first.
        let at: Double
        let request: EngineModel.Request
    }

    let arrivals: [Arrival]

    /// Reads a trace of Azure's form: `TIMESTAMP,ContextTokens,GeneratedTokens`, in order.
    ///
    /// - Throws: `ValidationError` that names the line.
    init(path: String) throws {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw ValidationError("--trace \(path) cannot be read: \(error.localizedDescription)")
        }
        try self.init(csv: text, path: path)
    }

    init(csv: String, path: String = "") throws {
        var arrivals: [Arrival] = [], first: Double?
        for (number, line) in csv.split(whereSeparator: \.isNewline).enumerated().dropFirst() {
            let fields = line.split(separator: ",")
            guard fields.count == 3, let time = Self.seconds(fields[0]), let prompt = Int(fields[1]),
                let output = Int(fields[2]), prompt >= 0, output >= 0
            else { throw ValidationError("\(path) line \(number + 1): '\(line)' is no call") }
            let at = time - (first ?? time)
            first = first ?? time
            guard at >= arrivals.last?.at ?? 0 else {
                throw ValidationError("\(path) line \(number + 1): earlier than the line before it")
            }
            arrivals.append(
                Arrival(at: at, request: .init(promptTokens: max(1, prompt), outputTokens: max(1, output))))
        }
        guard !arrivals.isEmpty else { throw ValidationError("\(path) has no calls") }
        self.arrivals = arrivals
    }

    private init(_ arrivals: [Arrival]) { self.arrivals = arrivals }

    /// The calls of the first `seconds`.
    func prefix(seconds: Double) -> LadderTrace { LadderTrace(arrivals.filter { $0.at < seconds }) }

    /// Seconds of the day in a time such as `2023-11-16 18:15:46.6805900`.
    private static func seconds(_ text: Substring) -> Double? {
        let parts = text.split(separator: " ")
        guard parts.count == 2 else { return nil }
        let fields = parts[1].split(separator: ":").map { Double($0) }
        guard fields.count == 3, let hours = fields[0], let minutes = fields[1], let seconds = fields[2] else {
            return nil
        }
        return hours * 3_600 + minutes * 60 + seconds
    }
}
