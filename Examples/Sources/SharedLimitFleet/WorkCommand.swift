import Admission
import ArgumentParser
import Foundation
import SpillwayCore
import SpillwayValkey

/// One process that spends all that it gets, and says on its output what that is, until it is told to end.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work", abstract: "Spends all that it gets until it is told to end.", shouldDisplay: false)

    @Argument var url: String
    @Option var rate: Double?
    @Option var budget: Int64?
    @Option var fallback: Double = 0

    func run() async throws {
        let store = try ValkeyLeaseStore(url)
        let limit = try SharedLimit("fleet", configuration(), store: store)
        let running = Task { try await limit.run() }
        let working = Task { try await work(limit) }
        await Self.toldToEnd()
        working.cancel()
        _ = await working.result
        running.cancel()
        _ = try await running.value
        await store.close()
    }

    /// Returns when the process gets the signal to end.
    private static func toldToEnd() async {
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM)
        await withCheckedContinuation { continuation in
            source.setEventHandler {
                source.cancel()
                continuation.resume()
            }
            source.resume()
        }
    }

    private func configuration() -> SharedLimit.Configuration {
        if let budget { return .init(.amount(budget, per: .seconds(86_400)), life: .seconds(1)) }
        let rate = rate ?? 1_000
        return .init(
            .rate(.perSecond(rate), burst: Int64(rate)), fallback: fallback > 0 ? .share(fallback) : .refuse,
            life: .seconds(2))
    }

    /// Saturated: as soon as it is refused it waits a millisecond, and asks again.
    private func work(_ limit: SharedLimit) async throws {
        let time = SystemTime(), random = RandomSource.system
        var spent: Int64 = 0, peak = 0
        while !Task.isCancelled {
            let cost: Int64 = budget == nil ? 1 : 1 + Int64(random.next() % 2_000_000)
            do throws(Rejection) {
                try limit.admit(cost: cost, at: time.now).settle(.success, at: time.now)
                spent += cost
                let available = limit.available(at: time.now)
                peak = max(peak, available + Int(cost))
                Self.say("\(time.now.nanoseconds) \(spent) \(peak)\n")
            } catch {
                try await time.sleep(for: .milliseconds(1))
            }
        }
    }

    /// One write of fewer bytes than a pipe takes at once: a line is there whole, or not at all.
    private static func say(_ line: String) {
        let bytes = Array(line.utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}
