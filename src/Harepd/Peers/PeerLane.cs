using System.Collections.Immutable;
using Harepd.Clock;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Grpc;
using Harepd.Wire.V1;

namespace Harepd.Peers;

/// <summary>
/// The way to one peer: votes beside each other up to a bound, shares one after the other with only the newest waiting.
/// Nothing here waits for another lane, and no caller waits for this one.
/// </summary>
internal sealed class PeerLane(
    MemberId peer,
    PeerIdentity from,
    PeerLinkOptions options,
    Action<LeaseReply> onReply,
    Action<ImmutableArray<NodeReport>> onHeard,
    PeerReach reach) : IDisposable
{
    private readonly GrpcChannel _channel = options.Open(peer);
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private Waiting? _waiting;
    private bool _isSharing;
    private int _voting;

    public PeerReach Reach => reach;

    /// <summary>Sends a vote, or drops it where too many wait for their answers.</summary>
    public void Send(LeaseRequest request)
    {
        if (Interlocked.Increment(ref _voting) > options.MaxVotesInFlight)
        {
            Interlocked.Decrement(ref _voting);
            return;
        }

        // Off the caller's thread: writing to a connection can take a moment that the loop does not have.
        ThreadPool.UnsafeQueueUserWorkItem(static job => _ = job.Lane.VoteAsync(job.Request), (Lane: this, Request: request), preferLocal: false);
    }

    /// <summary>Tells these reports as soon as the share before has ended; a share that still waits is replaced.</summary>
    public void Share(ImmutableArray<NodeReport> reports)
    {
        lock (_lock)
        {
            _waiting = new Waiting(reports, BootClock.Now);
            if (_isSharing)
            {
                return;
            }

            _isSharing = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static lane => _ = lane.ShareAllAsync(), this, preferLocal: false);
    }

    public void Dispose()
    {
        _closing.Cancel();
        _channel.Dispose();
    }

    private async Task VoteAsync(LeaseRequest request)
    {
        try
        {
            await TryAsync("Vote", async () =>
            {
                var wire = await _channel.CallAsync(PeerMethods.Vote, VoteWire.Write(request, from), options.VoteDeadline, _closing.Token);
                var reply = VoteWire.Read(wire);
                CheckName(reply.Voter);
                onReply(reply);
            });
        }
        finally
        {
            Interlocked.Decrement(ref _voting);
        }
    }

    private async Task ShareAllAsync()
    {
        while (TakeWaiting() is { } next)
        {
            await TryAsync("Share", async () =>
            {
                var request = new ShareRequest { From = VoteWire.Write(from, from.Membership.Stamp) };
                ReportWire.Write(next.Reports, BootClock.Now - next.Since, request.Reports);
                var reply = await _channel.CallAsync(PeerMethods.Share, request, options.ShareDeadline, _closing.Token);
                CheckName(new MemberId(reply.From));
                onHeard(ReportWire.Read(reply.Reports));
            });
        }
    }

    private Waiting? TakeWaiting()
    {
        lock (_lock)
        {
            var next = _waiting;
            _waiting = null;
            _isSharing = next is not null;
            return next;
        }
    }

    private async Task TryAsync(string method, Func<Task> call)
    {
        try
        {
            await call();
            reach.NoteAnswer(method);
        }
        catch (GrpcException failure) when (!_closing.IsCancellationRequested)
        {
            reach.NoteFailure(method, failure);
        }
        catch (Exception) when (_closing.IsCancellationRequested)
        {
            // The link was closed: whatever was under way is of no interest.
        }
        catch (Exception fault)
        {
            reach.NoteFailure(method, new GrpcException(GrpcStatusCode.Internal, $"{fault.GetType().Name}: {fault.Message}", fault));
        }
    }

    /// <summary>An answer counts only when the one who was asked gave it: an address may lead to another member than it did.</summary>
    private void CheckName(MemberId answered)
    {
        if (answered != peer)
        {
            throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"it is not the member that it was asked as, but {WireLimits.Clean(answered.Address, 100)}");
        }
    }

    private sealed record Waiting(ImmutableArray<NodeReport> Reports, Instant Since);
}
