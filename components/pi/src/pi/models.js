// Stands in for pi's `core/model-registry.js`, the extensions' view of the configured providers.
// There are no extensions here; pi's session constructs one all the same.

export class ModelRegistry {
  constructor(runtime) {
    this.runtime = runtime;
  }

  getAll() {
    return [...this.runtime.getAvailableSnapshot()];
  }

  find(provider, id) {
    return this.runtime.getModel(provider, id);
  }
}
