import ArgumentParser
import Testing

@testable import FakeFleet

@Suite struct FleetOptionsTests {
    @Test func `the defaults make a fleet`() throws {
        let options = try FleetOptions.parse([])
        #expect(options.replicas == 8)
        #expect(options.port == 9100)
        let engine = try options.engine()
        #expect(engine.maxRunning == 16)
        #expect(engine.kvBlocks == 4096)
    }

    @Test(arguments: [
        ("--replicas", "0"), ("--replicas", "eight"), ("--port", "65530"), ("--port", "-1"), ("--speed", "0"),
        ("--speed", "inf"), ("--prefill-rate", "nan"), ("--decode-rate", "-3"), ("--slots", "0"),
        ("--kv-blocks", "0"), ("--block-size", "0"), ("--tokens-per-chunk", "0"), ("--max-queue", "0"),
        ("--token-budget", "15"),
        ("--context-limit", "65537"), ("--seed", "-1"), ("--model", ""),
        ("--request-limit", "0"), ("--token-limit", "-1"), ("--limit-window", "0"),
    ])
    func `a bad value is refused, naming its flag`(flag: String, value: String) throws {
        let error = try #require(throws: (any Error).self) { try FleetOptions.parse(["\(flag)=\(value)"]) }
        #expect(FleetOptions.message(for: error).contains(flag))
    }

    @Test func `the ready line names the ports`() {
        #expect(
            FleetServer.Addresses(control: 9100, replicas: [9101, 9102, 9103]).readyLine
                == "fleet: ready control=127.0.0.1:9100 replicas=9101-9103"
        )
        #expect(
            FleetServer.Addresses(control: 5000, replicas: [6001, 7002]).readyLine
                == "fleet: ready control=127.0.0.1:5000 replicas=6001,7002"
        )
    }
}
