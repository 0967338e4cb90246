using Xunit;

namespace Harepd.Tests.Live.Machines;

/// <summary>All tests on clusters of machines with a network that breaks: one after the other, beside nothing else, on one cluster while it can be mended.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MachineTests : ICollectionFixture<MachineCluster>
{
    public const string Name = "live machines";
}
