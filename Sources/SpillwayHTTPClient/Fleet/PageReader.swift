#if HTTPClientSupport
internal import Spillway

/// Reads one page again and again, as often as its server bears.
struct PageReader<Value: Sendable>: Sendable {
    let url: String
    let pace: ScrapePace.Configuration
    /// The most bytes of the page.
    let limit: Int
    let requests: WatchRequests
    let random: RandomSource
    /// What a page says that was asked for at an instant.
    let read: @Sendable (_ page: [UInt8], _ asked: Instant) throws(UpstreamError) -> Value
    /// Acts on that.
    let use: @Sendable (Value) -> Void
    /// Told of each page that could not be read.
    let failed: @Sendable (UpstreamError) -> Void

    /// Reads until the task is cancelled.
    func run() async throws {
        let time = requests.time
        var pace = try ScrapePace(pace, at: time.now, random: random)
        while !Task.isCancelled {
            let now = time.now
            switch pace.next(at: now) {
            case .wait(let until): if (try? await time.sleep(until: until)) == nil { return }
            case .scrape(let number):
                do throws(UpstreamError) {
                    let value = try read(try await page(), now)
                    if !Task.isCancelled, pace.answered(number, at: time.now) { use(value) }
                } catch {
                    if Task.isCancelled { return }
                    failed(error)
                    if let end = error.clientsEnd { throw end }
                    // A timeout counts by itself when its time has come, and a server's word for one is an answer.
                    if error.outcome.cause != .timeout || error.status != nil { pace.failed(number, at: time.now) }
                }
            }
        }
    }

    private func page() async throws(UpstreamError) -> [UInt8] {
        // The client's own limit comes a little earlier: only it knows whether there was a connection.
        try await requests.get(url, head: pace.timeout * 0.95, whole: pace.timeout, upTo: limit)
    }
}
#endif
