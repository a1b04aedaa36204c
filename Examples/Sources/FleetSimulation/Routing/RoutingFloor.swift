import Spillway
import SpillwayTesting

/// What no rule can pass: each request alone on an idle engine that has kept all that came before.
struct RoutingFloor: Sendable {
    /// Seconds to the first token, the shortest first.
    let first: [Double]
    /// The share of prompts that came before, as an engine without end would find it.
    let hitRate: Double

    init(_ trace: RoutingTrace, _ settings: RoutingSettings) throws {
        let configuration = try settings.engine(), size = configuration.blockSize
        var seen: Set<UInt64> = [], first: [Double] = []
        var tokens = 0, hits = 0
        for arrival in trace.arrivals {
            var request = RoutingRun.request(arrival, size)
            // What comes after the first token does not matter here, but for whether it is taken.
            var engine = EngineModel(configuration)
            guard let id = try? engine.submit(request, at: .zero) else { continue }
            engine.cancel(id, at: .zero)
            request.outputTokens = 1
            let whole = request.promptBlocks.prefix(request.promptTokens / size)
            let known = whole.prefix { seen.contains($0) }
            if let (seconds, cached) = Self.alone(request, after: known, engine) {
                first.append(seconds)
                tokens += request.promptTokens
                hits += cached
            }
            seen.formUnion(whole)
        }
        self.first = first.sorted()
        hitRate = tokens == 0 ? 0 : Double(hits) / Double(tokens)
    }

    /// Seconds to the first token on an idle engine that has computed the blocks `known`, and tokens that it found.
    private static func alone(
        _ request: EngineModel.Request, after known: ArraySlice<UInt64>, _ engine: EngineModel
    ) -> (seconds: Double, cached: Int)? {
        var engine = engine, now = Instant.zero
        if !known.isEmpty {
            let before = EngineModel.Request(
                promptTokens: known.count * engine.configuration.blockSize, promptBlocks: Array(known), outputTokens: 0)
            guard (try? engine.submit(before, at: now)) != nil else { return nil }
            while let due = engine.nextDue {
                _ = engine.advance(to: due)
                now = due
            }
        }
        guard (try? engine.submit(request, at: now)) != nil else { return nil }
        while let due = engine.nextDue {
            guard let progress = engine.advance(to: due).first else { continue }
            return (now.duration(to: progress.at) / .seconds(1), progress.cachedTokens)
        }
        return nil
    }
}
