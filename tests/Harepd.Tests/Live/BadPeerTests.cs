using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Xunit;

namespace Harepd.Tests.Live;

/// <summary>The bad peers are as bad as they claim; otherwise the tests that use them would prove nothing.</summary>
[Collection(LiveTests.Name)]
public sealed class BadPeerTests
{
    [Fact]
    public async Task A_black_hole_does_not_even_accept_a_connection()
    {
        using var addresses = AddressBlock.Claim();
        await using var peer = BadPeer.Start(addresses[1], 10000, BadPeerKind.BlackHole);
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    using var session = await WireSession.OpenAsync(addresses[1], 10000, TimeSpan.FromMilliseconds(300));
                    return false;
                }
                catch (OperationCanceledException)
                {
                    return true;
                }
            },
            "the queue to be full");
    }

    [Fact]
    public async Task A_silent_peer_accepts_and_says_nothing()
    {
        using var addresses = AddressBlock.Claim();
        await using var peer = BadPeer.Start(addresses[1], 10000, BadPeerKind.Silent);
        using var session = await WireSession.OpenAsync(addresses[1], 10000, TimeSpan.FromSeconds(5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.FirstAnswerAsync(TimeSpan.FromMilliseconds(200)));
    }
}
