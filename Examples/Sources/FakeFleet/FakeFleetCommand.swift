import ArgumentParser
import Dispatch
import Foundation

/// Runs a fleet of simulated inference servers until it is interrupted.
@main
struct FakeFleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "FakeFleet",
        abstract: "A fleet of simulated OpenAI-compatible inference servers that fail on request.",
        discussion: """
            Each replica has a port of its own after that of the control. Faults are put to the control:
              curl -X PUT localhost:9100/control/faults -d '[{"replica": 1, "fault": "stuck-kernel", "duration_ms": 5000}]'
            GET /control/stats counts, POST /control/reset takes all back. Examples/README.md names the faults.
            """
    )

    @OptionGroup var options: FleetOptions

    /// Serves until SIGINT or SIGTERM.
    func run() async throws {
        let fleet = try FleetServer(options)
        let serving = Task {
            try await fleet.run { addresses in
                // Written past `print`'s buffer: whoever started the fleet waits for this line.
                FileHandle.standardOutput.write(Data("\(addresses.readyLine)\n".utf8))
            }
        }
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { serving.cancel() }
            source.resume()
            return source
        }
        defer { signals.forEach { $0.cancel() } }
        do {
            try await serving.value
        } catch is CancellationError {
            // Asked to stop: nothing failed.
        }
    }
}
