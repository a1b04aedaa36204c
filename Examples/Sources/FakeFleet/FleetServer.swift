import Hummingbird
import NIOCore

/// The whole fleet in one process: the replicas and their control server, all on the loopback interface.
struct FleetServer: Sendable {
    /// Where the fleet listens.
    struct Addresses: Sendable, Equatable {
        let control: Int
        /// The replicas' ports in order.
        let replicas: [Int]

        /// The line that says that every port listens.
        var readyLine: String {
            let first = replicas[0]
            let last = first + replicas.count - 1
            let isRange = replicas == Array(first...last)
            let ports = isRange ? "\(first)-\(last)" : replicas.map(String.init).joined(separator: ",")
            return "fleet: ready control=127.0.0.1:\(control) replicas=\(ports)"
        }
    }

    private let options: FleetOptions
    private let replicas: [Replica]
    private let control: ControlServer

    /// A fleet that does not listen yet; throws for options that `FleetOptions` refuses.
    init(_ options: FleetOptions) throws {
        let engine = try options.engine()
        let clock = SimulatedClock(speed: options.speed)
        let faults = FaultBoard(seed: options.seed)
        let ledger = Ledger()
        self.options = options
        replicas = (1...options.replicas).map {
            Replica(index: $0, options: options, engine: engine, clock: clock, faults: faults, ledger: ledger)
        }
        control = ControlServer(replicas: replicas, faults: faults, ledger: ledger)
    }

    /// Serves until the task is cancelled, calling `ready` once every port listens; throws when a port cannot be bound.
    func run(ready: @escaping @Sendable (Addresses) -> Void) async throws {
        let (listening, announce) = AsyncStream.makeStream(of: (index: Int, port: Int).self)
        let count = 1 + replicas.count
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                let router = index == 0 ? control.router() : replicas[index - 1].router()
                let port = options.port == 0 ? 0 : options.port + index
                let server = server(router, port: port) { announce.yield((index, $0)) }
                group.addTask {
                    do {
                        try await server.run()
                    } catch let error as IOError {
                        throw FleetError(port: port, reason: "\(error)")
                    }
                }
            }
            group.addTask {
                var ports: [Int: Int] = [:]
                for await (index, port) in listening {
                    ports[index] = port
                    if ports.count == count { break }
                }
                guard ports.count == count else { return }
                control.ledger.listen(on: ports)
                ready(Addresses(control: ports[0]!, replicas: replicas.map { ports[$0.index]! }))
            }
            // The first server to fail takes the others down: half a fleet would measure something else.
            for try await _ in group {}
        }
    }

    private func server(
        _ router: Router<FleetContext>,
        port: Int,
        onListening: @escaping @Sendable (Int) -> Void
    ) -> some ApplicationProtocol {
        var application = Application(
            router: router,
            server: .http1(configuration: .init(additionalChannelHandlers: [ClientWatch()])),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { onListening($0.localAddress?.port ?? port) }
        )
        // Stopping a server cancels its accept loop, which the framework would report as an error.
        application.logger.logLevel = .critical
        return application
    }
}

/// A port on which the fleet cannot listen.
struct FleetError: Error, CustomStringConvertible {
    let port: Int
    let reason: String

    /// The port and the reason.
    var description: String {
        "cannot listen on 127.0.0.1:\(port): \(reason)"
    }
}
