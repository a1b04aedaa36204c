import CostLedger
import SpillwayCore

/// The journal of an invented service: three customers, three models, retries, hedges and a crash.
struct SampleJournal {
    private var random: RandomSource
    private static let month = UTCTime("2026-11-01")!.nanoseconds
    private static let second: Int64 = 1_000_000_000
    private static let models: [(name: String, provider: String)] = [
        ("gpt-5.4", "openai"), ("gpt-6-luna", "openai"), ("claude-sonnet-4-5", "anthropic"),
    ]

    init(seed: UInt64) { random = .seeded(seed) }

    /// A number from 0 to `most`.
    private func upTo(_ most: Int) -> Int { Int(random.next().multipliedFullWidth(by: UInt64(most) + 1).high) }

    /// The postings of so many calls, spread evenly over the first 20 days of November 2026, in order of time.
    func postings(calls: Int) -> [Posting] {
        var postings: [Posting] = [], number: UInt64 = 0
        for call in 0..<calls {
            let began =
                Self.month + Int64(call) * (20 * 86_400 * Self.second / Int64(calls)) + Int64(upTo(999)) * 1_000_000
            // The bill has a number of its own, as in a ledger.
            number += 1
            let operation = number
            let tenant = Scope.tenant(["acme", "acme", "globex", "initech"][upTo(3)])
            var start = began
            for attempt in 1...3 {
                number += 1
                let isLast = append(&postings, number, operation, UInt32(attempt), tenant, began: start)
                if isLast { break }
                start = postings[postings.count - 1].time + Int64(100 + upTo(400)) * 1_000_000
            }
        }
        return postings.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    /// Adds the postings of one attempt, and says whether the call ends with it.
    private func append(
        _ postings: inout [Posting], _ number: UInt64, _ operation: UInt64, _ attempt: UInt32, _ tenant: Scope,
        began: Int64
    ) -> Bool {
        let model = Self.models[upTo(2)]
        var usage = Usage(input: 200 + upTo(4_000), cacheRead: upTo(1) * upTo(2_000), output: 20 + upTo(900))
        let price = PriceBook.common.price(of: model.name, at: began / Self.second)!
        let luck = upTo(99)
        let took = Int64(500 + usage[.output] * 8 + (luck >= 85 ? 4_000 : 0)) * 1_000_000
        // What the longest answer would have cost.
        let held = try! price.cost(of: Usage(input: usage.promptTokens, output: 1_000))
        var posting = Posting(
            number: number, kind: .settled, operation: operation, attempt: attempt,
            scopes: [tenant, .model(model.name), .provider(model.provider)], began: began, time: began + took,
            held: held, cost: .zero, usage: usage, source: .provider, outcome: .success)
        switch luck {
        case ..<91: break
        case ..<95: posting.outcome = .failure(.timeout)
        case ..<97:
            // Broken off: what came until then was counted here.
            usage.source = .metered
            (posting.usage, posting.source, posting.outcome) = (usage, .metered, .failure(.truncated))
        case ..<99:
            (posting.kind, posting.usage, posting.outcome) = (.voided, nil, .neutral(.cancelled))
        default:
            (posting.kind, posting.usage, posting.source) = (.suspended, nil, .estimated)
            posting.outcome = .neutral(.cancelled)
        }
        if posting.kind == .settled { posting.cost = try! price.cost(of: usage) }
        postings.append(posting)
        return posting.outcome.verdict == .success || posting.kind == .suspended
    }
}
