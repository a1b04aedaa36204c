import ArgumentParser
import AsyncHTTPClient
import Foundation

/// Plays the trace against a gateway and writes the result file.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Play a trace and a fault script against a gateway.")

    @Option(help: "Address of the gateway under test, such as http://127.0.0.1:8080.")
    var target: String
    @Option(help: "CSV file of the trace.")
    var trace: String
    @Option(help: "Address of the fleet's control server.")
    var control: String
    @Option(help: "JSON file of the fault script.")
    var faults: String
    @Option(help: "Trace seconds per real second; the fleet must run at the same speed.")
    var speed = 10.0
    @Option(help: "Name of the run in the report: letters, digits, '.', '_' and '-'.")
    var label: String
    @Option(help: "Result file to write.")
    var out: String
    @Option(help: "Model to ask for.")
    var model = "chat"
    @Option(help: "Time to first token that users are content with, in milliseconds of trace time.")
    var sloTtftMs = 2000.0
    @Option(help: "Trace seconds that a user waits for the whole answer.")
    var clientTimeout = 60.0
    @Option(help: "Play only the first requests of the trace.")
    var limit: Int?
    @Option(help: "Seed of the prompts.")
    var seed: UInt64 = 1

    /// Checks the flags' values before anything is opened.
    func validate() throws {
        for (name, value) in [("--target", target), ("--control", control)] {
            let url = URLComponents(string: value)
            guard let url, ["http", "https"].contains(url.scheme), url.host?.isEmpty == false else {
                throw ValidationError("\(name): '\(value)' is not an address such as http://127.0.0.1:8080")
            }
        }
        let positive = [("--speed", speed), ("--slo-ttft-ms", sloTtftMs), ("--client-timeout", clientTimeout)]
        for (name, value) in positive where !(value > 0 && value <= 1_000_000) {
            throw ValidationError("\(name): \(value) is not more than 0 and at most 1000000")
        }
        if let limit, limit < 1 { throw ValidationError("--limit: \(limit) is less than 1") }
        guard label.wholeMatch(of: /[A-Za-z0-9._-]+/) != nil else {
            throw ValidationError("--label: '\(label)' has other characters than letters, digits, '.', '_' and '-'")
        }
        let folder = URL(fileURLWithPath: out).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw ValidationError("--out: cannot write '\(out)': no writable folder '\(folder)'")
        }
    }

    /// Runs the session, shuts everything down and writes the result.
    func run() async throws {
        let load = try read(trace) { try Trace(csv: String(decoding: $0, as: UTF8.self), limit: limit) }
        let script = try read(faults, FaultScript.parse)
        let http = HTTPClient(configuration: Self.httpConfiguration)
        let outcome: Result<RunResult, any Error>
        do {
            let session = makeSession(load, script, http)
            outcome = .success(try await withInterrupts { try await session.run() })
        } catch {
            // A fleet that was left with faults would spoil the next run; it may be gone, too.
            try? await ControlClient(http: http, base: base(control)).setFaults([])
            outcome = .failure(error)
        }
        try await http.shutdown()
        do {
            let result = try outcome.get()
            try result.write(path: out)
            Terminal.note("\(label): \(result.total.good) of \(result.total.requests) good; wrote \(out)")
        } catch let interrupt as Interrupted {
            Terminal.note("\(label): interrupted; no result written")
            throw ExitCode(128 + interrupt.signal)
        }
    }

    /// Every user has a connection of its own, and none that fails is tried again behind the measurement's back.
    private static var httpConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4096
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(5)
        return configuration
    }

    /// Puts the flags together.
    private func makeSession(_ load: Trace, _ script: FaultScript, _ http: HTTPClient) -> Session {
        Session(
            settings: .init(
                label: label, trace: URL(fileURLWithPath: trace).lastPathComponent, speed: speed, seed: seed,
                sloTTFTMs: sloTtftMs, clientTimeout: clientTimeout),
            trace: load,
            script: script,
            chat: ChatClient(
                http: http, target: base(target), model: model, prompts: PromptMaker(seed: seed),
                timeout: clientTimeout),
            control: ControlClient(http: http, base: base(control)),
            showProgress: Terminal.progress
        )
    }

    /// An address without the slashes at its end.
    private func base(_ address: String) -> String {
        var text = Substring(address)
        while text.last == "/" { text = text.dropLast() }
        return String(text)
    }

    /// Reads a file and parses it, naming it in every error.
    private func read<Value>(_ path: String, _ parse: (Data) throws -> Value) throws -> Value {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw InputError("\(path): \(error.localizedDescription)")
        }
        do {
            return try parse(data)
        } catch {
            throw InputError(error, in: path)
        }
    }
}
