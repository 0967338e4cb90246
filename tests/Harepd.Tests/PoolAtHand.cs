using System.Runtime.CompilerServices;

namespace Harepd.Tests;

/// <summary>
/// Clients that live in this process are not to stand still because a test waits: by default the pool has a thread for each processor, and gets one more each half second.
/// Not by the project file, which would keep <see cref="Live.StarvedPoolTests"/> from starving it.
/// </summary>
internal static class PoolAtHand
{
    private const int Threads = 32;

#pragma warning disable CA2255 // The runner loads this assembly: there is no entry point of our own.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Widen()
    {
        ThreadPool.GetMinThreads(out var least, out var leastIo);
        ThreadPool.SetMinThreads(Math.Max(Threads, least), leastIo);
    }
}
