import Foundation

/// A recorded load: when each request came and how large it was.
struct Trace: Sendable, Equatable {
    /// One request of the load.
    struct Request: Sendable, Equatable {
        /// Seconds after the trace's first request.
        let arrival: Double
        let promptTokens: Int
        let generatedTokens: Int
    }

    /// The columns of the Azure LLM inference traces.
    static let header = "TIMESTAMP,ContextTokens,GeneratedTokens"

    /// The requests in the order of their arrival; never empty.
    let requests: [Request]

    /// Seconds from the first request to the last.
    var duration: Double { requests.last?.arrival ?? 0 }

    /// Parses the CSV text, keeping the first `limit` requests (all of them by default).
    ///
    /// Throws `InputError` naming up to five bad lines by their number, counted from 1.
    init(csv: String, limit: Int? = nil) throws {
        let lines = csv.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard let first = lines.first, first == Self.header else {
            throw InputError("line 1: '\(lines.first ?? "")' is not the header \(Self.header)")
        }
        var requests: [Request] = []
        var problems: [String] = []
        var origin: Double?
        for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty {
            do {
                let (time, prompt, generated) = try Self.parse(line)
                let start = origin ?? time
                origin = start
                let arrival = time - start
                guard arrival >= requests.last?.arrival ?? 0 else {
                    throw InputError("TIMESTAMP is earlier than the one before it")
                }
                requests.append(Request(arrival: arrival, promptTokens: prompt, generatedTokens: generated))
            } catch {
                problems.append("line \(index + 1): \(error)")
            }
        }
        guard problems.isEmpty else {
            let more = problems.count > 5 ? "\n… and \(problems.count - 5) more bad lines" : ""
            throw InputError(problems.prefix(5).joined(separator: "\n") + more)
        }
        guard !requests.isEmpty else { throw InputError("no requests after the header") }
        self.requests = Array(requests.prefix(limit ?? .max))
    }

    /// Reads one line's three fields.
    private static func parse(_ line: Substring) throws -> (time: Double, prompt: Int, generated: Int) {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 3 else { throw InputError("\(fields.count) fields instead of 3") }
        guard let time = seconds(fields[0]) else {
            throw InputError("TIMESTAMP '\(fields[0])' is not like 2023-11-16 18:25:46.8782260")
        }
        return (time, try count(fields[1], "ContextTokens"), try count(fields[2], "GeneratedTokens"))
    }

    /// Reads a token count, which must be a whole number from 1 to a million.
    private static func count(_ text: Substring, _ name: String) throws -> Int {
        guard let value = Int(text), (1...1_000_000).contains(value) else {
            throw InputError("\(name) '\(text)' is not a whole number from 1 to 1000000")
        }
        return value
    }

    /// Reads a timestamp as seconds since 1970 in UTC; nil when it is not one.
    ///
    /// By hand, because `DateFormatter` drops digits past the millisecond.
    private static func seconds(_ text: Substring) -> Double? {
        guard
            let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)/),
            let year = Int(match.1), let month = Int(match.2), let day = Int(match.3),
            let hour = Int(match.4), let minute = Int(match.5), let second = Double(match.6),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = DateComponents(year: year, month: month, day: day)
        guard parts.isValidDate(in: calendar), let date = calendar.date(from: parts) else { return nil }
        return date.timeIntervalSince1970 + Double(hour * 3600 + minute * 60) + second
    }
}
