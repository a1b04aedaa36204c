import ArgumentParser
import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import SpillwaySQLite

/// Serves until SIGTERM or SIGINT.
@main
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "Gateway", abstract: "An OpenAI-compatible gateway in front of OpenAI-compatible upstreams.")

    @Option(help: "The YAML file with upstreams, models and policies.")
    var config: String

    @Option(help: "The port to listen on instead of the file's. 0: any free port.")
    var port: Int?

    @Option(help: "What is logged: trace, debug, info (a line for each call that is paid for), notice, warning, error.")
    var logLevel = Logger.Level.notice

    /// Refuses ports that there are not.
    func validate() throws {
        guard (0...65_535).contains(port ?? 0) else {
            throw ValidationError("--port \(port ?? 0): must be from 0 to 65535")
        }
    }

    /// Reads the configuration, serves, and lets running streams finish when told to stop.
    func run() async throws {
        let configuration = try Configuration(path: config)
        let server = configuration.server
        var logger = Logger(label: "gateway") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let http = HTTPClient(configuration: Gateway.httpConfiguration)
        var outcome: Result<Void, any Error>
        var store: SQLiteLedgerStore?
        var jobStore: SQLiteJobStore?
        var sessionStore: SQLiteSessionStore?
        var gateway: Gateway?
        do {
            if let books = configuration.spending?.ledger, let file = books.file {
                store = try await SQLiteLedgerStore(file, synchronous: books.synchronous)
            }
            if let jobs = configuration.jobs, let file = jobs.file {
                jobStore = try await SQLiteJobStore(file, synchronous: jobs.synchronous)
            }
            if let sessions = configuration.sessions, let file = sessions.file {
                sessionStore = try await SQLiteSessionStore(file, synchronous: sessions.synchronous)
            }
            let made = try await Gateway(
                configuration, http: http, logger: logger, store: store, jobStore: jobStore,
                sessionStore: sessionStore)
            gateway = made
            try await made.serve(host: server.host, port: port ?? server.port, logger: logger) { port in
                // Written past `print`'s buffer: whoever started the gateway waits for this line.
                FileHandle.standardOutput.write(Data("gateway: ready http://\(server.host):\(port)\n".utf8))
            }
            outcome = .success(())
        } catch is CancellationError {
            // Streams were still running when the time for draining was over: they have been cut.
            outcome = .success(())
        } catch let error as IOError {
            let address = "\(server.host):\(port ?? server.port)"
            outcome = .failure(ListenError("cannot listen on \(address): \(error)"))
        } catch {
            outcome = .failure(error)
        }
        // Also what streams cost that were cut.
        await gateway?.storeBooks()
        do { try await store?.close() } catch { if case .success = outcome { outcome = .failure(error) } }
        do { try await sessionStore?.close() } catch { if case .success = outcome { outcome = .failure(error) } }
        do { try await jobStore?.close() } catch { if case .success = outcome { outcome = .failure(error) } }
        try await http.shutdown()
        try outcome.get()
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// The port cannot be listened on.
private struct ListenError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
