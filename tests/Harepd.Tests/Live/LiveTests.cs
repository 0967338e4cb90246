using Xunit;

namespace Harepd.Tests.Live;

/// <summary>All tests on whole clusters: one after the other and beside nothing else, on one cluster as long as it can be mended.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LiveTests : ICollectionFixture<LiveCluster>
{
    public const string Name = "live";
}
