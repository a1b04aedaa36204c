#if ValkeySupport
import SpillwayCore
import SpillwayTesting
import SpillwayValkey
import Testing

@testable import SpillwayValkey

@Suite struct AddressTests {
    @Test func readsAllParts() throws {
        let whole = try ValkeyAddress("redis://app:p%40ss%3a%2F1@cache.internal:6380/3")
        #expect(whole.host == "cache.internal" && whole.port == 6_380 && whole.database == 3)
        #expect(whole.user == "app" && whole.password == "p@ss:/1")
        let short = try ValkeyAddress("valkey://localhost")
        #expect(short.host == "localhost" && short.port == 6_379 && short.database == 0 && short.password == nil)
        let six = try ValkeyAddress("REDIS://:secret@[::1]:7000/")
        #expect(six.host == "::1" && six.port == 7_000 && six.user == nil && six.password == "secret")
    }

    @Test(arguments: [
        "", "localhost:6379", "http://localhost", "rediss://localhost", "redis://", "redis://:6379",
        "redis://localhost:0",
        "redis://localhost:65536", "redis://localhost:port", "redis://localhost/one", "redis://localhost/-1",
        "redis://localhost/+1", "redis://[::1", "redis://[::1]6379", "redis://user@localhost",
        "redis://u:p%4@localhost",
        "redis://u:p%zz@localhost", "redis://localhost?db=1", "redis://u:%ff@localhost",
    ])
    func refusesWhatItCannotRead(_ url: String) {
        let error = #expect(throws: ConfigurationError.self) { _ = try ValkeyLeaseStore(url) }
        #expect(error?.field == "url")
    }

    @Test func neverShowsAPassword() {
        for url in ["redis://app:hunter2@host:99999", "http://app:hunter2@host", "redis://app:hunter2@host?x"] {
            let error = #expect(throws: ConfigurationError.self) { _ = try ValkeyLeaseStore(url) }
            #expect(error?.description.contains("hunter2") == false)
        }
    }

    @Test func refusesOtherParameters() {
        #expect(throws: ConfigurationError.self) { _ = try ValkeyLeaseStore("redis://h", prefix: "") }
        #expect(throws: ConfigurationError.self) { _ = try ValkeyLeaseStore("redis://h", prefix: "a{b}") }
        #expect(throws: ConfigurationError.self) { _ = try ValkeyLeaseStore("redis://h", connectTimeout: .zero) }
        #expect(throws: ConfigurationError.self) { _ = try ValkeyLeaseStore("redis://h", commandTimeout: .seconds(60)) }
    }
}
#endif
