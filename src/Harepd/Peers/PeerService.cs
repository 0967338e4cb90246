using System.Net;
using Harepd.Grpc;
using Harepd.Wire.V1;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Harepd.Peers;

/// <summary>
/// The port that the other members, peers of the 2021 daemon and gRPC's own tools call. Everything that comes in is judged here
/// (<see cref="WireLimits"/>); what is passed on is safe to compute with.
/// </summary>
internal sealed class PeerService : IAsyncDisposable
{
    private readonly GrpcHost _host;
    private readonly PeerServiceOptions _options;
    private readonly RefusalLog _refusals;

    private PeerService(GrpcHost host, PeerServiceOptions options, RefusalLog refusals)
    {
        _host = host;
        _options = options;
        _refusals = refusals;
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => _host.EndPoint;

    /// <summary>Listens and serves.</summary>
    /// <exception cref="IOException">The address cannot be bound.</exception>
    public static async Task<PeerService> StartAsync(
        PeerIdentity identity, PeerServiceOptions options, PeerHandlers handlers, ILogger log, CancellationToken token)
    {
        var refusals = new RefusalLog(log);
        var desks = new Desks(identity, options, handlers, refusals);
        var listen = new GrpcListenOptions
        {
            Tls = options.Tls,
            ClientCertificates = options.RequiresClientCertificate ? GrpcClientCertificates.Required : GrpcClientCertificates.NotAsked,
        };
        return new PeerService(await GrpcHost.StartAsync(options.Bind, listen, desks.Map, token), options, refusals);
    }

    /// <summary>
    /// Walks the path of a vote once, with one that is refused before it is counted, so that the first real one does not wait for the compiler.
    /// Best effort: whatever comes of it is of no interest.
    /// </summary>
    public async Task WarmUpAsync(CancellationToken token)
    {
        var any = EndPoint.Address.Equals(IPAddress.Any) || EndPoint.Address.Equals(IPAddress.IPv6Any);
        var address = any ? IPAddress.Loopback : EndPoint.Address;
        using var channel = new GrpcChannel(address.ToString(), EndPoint.Port, new GrpcChannelOptions { Tls = _options.Tls });
        _refusals.IsQuiet = true;
        try
        {
            await channel.CallAsync(PeerMethods.Vote, new VoteRequest(), TimeSpan.FromSeconds(2), token);
        }
        catch (GrpcException)
        {
            // The expected refusal, or a certificate that does not carry this address.
        }
        finally
        {
            _refusals.IsQuiet = false;
        }
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private sealed class Desks(PeerIdentity identity, PeerServiceOptions options, PeerHandlers handlers, RefusalLog refusals)
    {
        private readonly ClusterInfoDesk _cluster =
            new(options.Address, options.NodeName, handlers.FindCluster, options.InquiryDeadline);

        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapGrpcUnary(PeerMethods.Vote, (request, call) => JudgeAsync("Vote", call, () => VoteAsync(request, call)), Bounds(WireLimits.MaxVoteBytes));
            endpoints.MapGrpcUnary(PeerMethods.Share, (request, call) => JudgeAsync("Share", call, () => Share(request)), Bounds(WireLimits.MaxShareBytes));
            endpoints.MapGrpcUnary(PeerMethods.Status, (_, _) => ValueTask.FromResult(handlers.Status().Write()), Bounds(WireLimits.MaxVoteBytes));
            endpoints.MapGrpcUnary(PeerMethods.History, (request, _) => ValueTask.FromResult(HistoryWire.Write(handlers.History(HistoryWire.MostOf(request)))), Bounds(WireLimits.MaxShareBytes));
            endpoints.MapGrpcUnary(PeerMethods.GetClusterInfo, (_, call) => _cluster.AnswerAsync(call.Cancelled), Bounds(WireLimits.MaxVoteBytes));
            endpoints.MapGrpcHealth(
                service => service is "" or PeerMethods.Service or PeerMethods.GoService ? handlers.IsServing() : null,
                Bounds(WireLimits.MaxVoteBytes));
        }

        private GrpcServerOptions Bounds(int maxBytes) => new() { MaxMessageBytes = maxBytes, OnFault = refusals.NoteFault };

        private async ValueTask<VoteReply> VoteAsync(VoteRequest request, GrpcServerCall call) =>
            VoteWire.Write(await handlers.Vote(VoteWire.Read(request), call.Cancelled));

        /// <summary>Reports are taken from members of this cluster alone; another epoch is no reason to know less, for reports open nothing (R10).</summary>
        private ValueTask<ShareReply> Share(ShareRequest request)
        {
            var (stamp, owner) = VoteWire.ReadSender(request.From);
            if (stamp.Cluster != identity.Membership.Stamp.Cluster)
            {
                throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"this is cluster {identity.Membership.Stamp.Cluster}");
            }

            if (!identity.Membership.Everyone.Contains(owner.Member))
            {
                throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"{WireLimits.Clean(owner.Member.Address, 100)} is no member here");
            }

            var known = handlers.Share(ReportWire.Read(request.Reports));
            var reply = new ShareReply { From = identity.Self.ToString() };
            ReportWire.Write(known, TimeSpan.Zero, reply.Reports);
            return ValueTask.FromResult(reply);
        }

        private async ValueTask<T> JudgeAsync<T>(string method, GrpcServerCall call, Func<ValueTask<T>> answer)
        {
            try
            {
                return await answer();
            }
            catch (GrpcException refusal) when (refusal.Code is GrpcStatusCode.InvalidArgument or GrpcStatusCode.FailedPrecondition)
            {
                refusals.NoteRefusal(call.Peer?.Address.ToString() ?? "?", method, refusal.Detail);
                throw;
            }
        }
    }
}
