#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOHTTP1
internal import Spillway

/// Tells a quota what answers say of the provider's limits.
struct QuotaFeed: Sendable {
    let quota: Quota
    let provider: ProviderSignals.Provider

    /// Learns from the head of an answer, and from the body of one that is an error.
    func learn(from response: HTTPClientResponse, _ body: [UInt8] = [], sent: Instant, at now: Instant) {
        let headers = response.headers
        let signals = ProviderSignals(
            provider, status: Int(response.status.code), headers: { headers.first(name: $0) }, body: body)
        quota.learn(signals, sent: sent, at: now)
    }
}
#endif
