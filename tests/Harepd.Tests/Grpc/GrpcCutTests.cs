using System.Net;
using Harepd.Grpc;
using Xunit;

namespace Harepd.Tests.Grpc;

public sealed class GrpcCutTests
{
    [Fact]
    public async Task A_connection_over_a_cut_is_given_up_by_the_kernel_and_replaced_when_the_cut_heals()
    {
        if (!Cut.IsPossible)
        {
            return;
        }

        const string here = "127.10.9.2";
        await using var host = await Calls.ServeAsync("127.10.9.1", Calls.ByNameAsync);
        using var channel = Calls.Open(host.EndPoint, new GrpcChannelOptions { LocalAddress = IPAddress.Parse(here), SilenceTimeout = TimeSpan.FromMilliseconds(500) });
        await channel.AskAsync("before");

        using (new Cut("127.10.9.1", here))
        {
            // One call, so that nothing but the silence of the peer's kernel can end it before its deadline; then one on a connection to be made.
            Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("during")).Code);
            Assert.Equal(GrpcStatusCode.Unavailable, (await channel.FailAsync("during")).Code);
        }

        await WaitFor.TrueAsync(async () =>
        {
            try
            {
                return (await channel.AskAsync("after")).NodeName == "after";
            }
            catch (GrpcException)
            {
                return false;
            }
        });
    }
}
