"""What a selector learns from: track caches as samples and batches."""
